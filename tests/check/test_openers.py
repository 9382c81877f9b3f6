"""The tables agree with each other and with the standard library they speak of."""

from __future__ import annotations

import importlib

import pytest

from tenure.check import openers
from tenure.check.openers import FUNCTION_CLOSERS, KINDS, OPENERS, TYPED_METHODS, is_stdlib

#: Standard modules that this platform or this version of Python need not have.
ABSENT = {"winreg", "aifc", "sunau", "telnetlib", "nntplib", "urllib2", "dbm"}
#: Names that are there on other platforms or versions only, or that stand for a loaded library.
ELSEWHERE = {
    "select.kqueue",
    "ssl.wrap_socket",
    "select.devpoll",
    "selectors.KqueueSelector",
    "selectors.DevpollSelector",
    "urllib.urlopen",
}


def test_every_opener_is_of_a_kind_there_is() -> None:
    kinds = {kind for opener in OPENERS.values() for kind in (opener.kind, *opener.parts) if kind}
    assert kinds <= set(KINDS)


def test_every_kind_says_how_it_is_closed() -> None:
    assert all("{}" in kind.close for kind in KINDS.values())


def test_every_closing_function_is_right_for_a_kind_there_is() -> None:
    assert {kind for _, kinds in FUNCTION_CLOSERS.values() for kind in kinds} <= set(KINDS)
    assert set(TYPED_METHODS) <= set(KINDS)


def standard() -> list[str]:
    names = (name for name in OPENERS if is_stdlib(name) and name.partition(".")[0] not in ABSENT)
    return sorted(name for name in names if name not in ELSEWHERE and not name.startswith("ctypes.CDLL."))


@pytest.mark.parametrize("dotted", standard())
def test_a_standard_opener_exists(dotted: str) -> None:
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for name in parts[cut:]:
            found = getattr(found, name)
        assert callable(found)
        return
    pytest.fail(f"no module of {dotted} can be imported")


def test_a_projects_own_opener_brings_its_own_kind() -> None:
    made, kinds = openers.with_extra({"lib.connect": ("hang_up", "abort")})
    assert made["lib.connect"].kind == "lib.connect"
    assert kinds["lib.connect"].close == "{}.hang_up()"
