"""Settings are checked by name and value wherever they come from, and a wrong one changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import tenure
from tenure.errors import AlreadyClosed, LeasedHandle, SettingError

from .conftest import Run


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = tenure.settings()
    yield
    tenure.configure(**before._asdict())


def test_configure_changes_what_is_given_and_returns_what_was() -> None:
    before = tenure.configure(sites=5)
    assert before == tenure.settings()._replace(sites=before.sites)
    assert tenure.settings().sites == 5


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("leak", "loud", "'report', 'report-only', 'raise', 'off'"),
        ("close", "now", "'finish', 'refuse'"),
        ("double_close", "maybe", "'ignore', 'error'"),
        ("sites", -1, "a whole number from 0 to 2147483647"),
        ("sites", 2**31, "a whole number from 0 to 2147483647"),
        ("sample", 0, "a whole number from 1 to 2147483647"),
    ],
)
def test_a_wrong_value_names_setting_origin_and_what_is_allowed(setting: str, value: object, allowed: str) -> None:
    before = tenure.settings()
    with pytest.raises(SettingError) as caught:
        tenure.configure(**{setting: value})  # type: ignore[arg-type]
    assert str(caught.value) == f"{setting} cannot be {value!r} (from configure()). Allowed: {allowed}."
    assert tenure.settings() == before


def test_the_environment_is_read(run: Run) -> None:
    program = (
        "import tenure; now = tenure.settings(); print(now.leak, now.close, now.double_close, now.sites, now.sample)"
    )
    chosen = {"TENURE_LEAK": "off", "TENURE_CLOSE": "refuse", "TENURE_DOUBLE_CLOSE": "error", "TENURE_SITES": "0"}
    assert run(program, **chosen, TENURE_SAMPLE="7").stdout == "off refuse error 0 7\n"


def test_a_wrong_environment_names_the_variable(run: Run) -> None:
    result = run("import tenure; tenure.own", TENURE_LEAK="loud")
    assert "leak cannot be 'loud' (from TENURE_LEAK). Allowed: 'report'" in result.stderr


def test_an_unknown_implementation_is_an_error(run: Run) -> None:
    result = run("import tenure; tenure.own", TENURE_IMPL="fast")
    assert "TENURE_IMPL cannot be 'fast' (from the environment). Allowed: 'native', 'pure'." in result.stderr


def test_refuse_makes_close_fail_under_a_lease(released: list[int]) -> None:
    tenure.configure(close="refuse")
    handle = tenure.own(1, release=released.append)
    with handle.lease(), pytest.raises(LeasedHandle, match="cannot close append handle 0x1: 1 lease"):
        handle.close()
    assert not handle.closed
    handle.close()
    assert released == [1]


def test_a_second_close_can_be_an_error(released: list[int]) -> None:
    tenure.configure(double_close="error")
    handle = tenure.own(1, release=released.append)
    handle.close()
    with pytest.raises(AlreadyClosed, match=r"append handle 0x1 was already closed at .*test_settings\.py:"):
        handle.close()
    assert released == [1]
