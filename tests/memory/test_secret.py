"""Where memory cannot be locked a secret says so, once for each slab, or is refused."""

from __future__ import annotations

import ctypes
import errno
import warnings
from collections.abc import Iterator

import pytest

import tenure
from tenure.errors import LockRefused, SettingError, UnlockedMemory
from tenure.memory import pages, slots


@pytest.fixture
def _no_locking(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A system that refuses to lock memory, and no slab left from before."""

    def refuse(address: int, size: int) -> int:
        ctypes.set_errno(errno.EPERM)
        return -1

    monkeypatch.setattr(pages, "_mlock", refuse)
    monkeypatch.setattr(slots, "_all", {})
    yield
    tenure.ledger.assert_empty()


def open_and_close(times: int) -> None:
    for _ in range(times):
        tenure.SecretBuffer(32).close()


def test_memory_is_locked_where_the_system_allows_it() -> None:
    with tenure.SecretBuffer(32) as secret:
        assert secret.locked


@pytest.mark.usefixtures("_no_locking")
def test_a_refusal_is_a_warning_at_the_line_that_wanted_the_secret() -> None:
    with pytest.warns(UnlockedMemory, match="Raise the limit with `ulimit -l` or RLIMIT_MEMLOCK") as caught:
        secret = tenure.SecretBuffer(32)
    assert caught[0].filename == __file__
    assert not secret.locked
    secret.close()


@pytest.mark.usefixtures("_no_locking")
def test_one_warning_speaks_for_a_whole_slab() -> None:
    with pytest.warns(UnlockedMemory) as caught:
        open_and_close(20)
    assert len(caught) == 1


@pytest.mark.usefixtures("_no_locking")
@pytest.mark.parametrize("size", [32, 100_000])
def test_a_strict_secret_is_refused(size: int) -> None:
    with pytest.raises(LockRefused, match="EPERM"):
        tenure.SecretBuffer(size, strict=True)


@pytest.mark.usefixtures("_no_locking")
def test_strictness_can_be_configured_and_relaxed_for_one() -> None:
    before = tenure.configure(secrets="strict")
    try:
        with pytest.raises(LockRefused):
            tenure.SecretBuffer(32)
        with pytest.warns(UnlockedMemory):
            tenure.SecretBuffer(32, strict=False).close()
    finally:
        tenure.configure(secrets=before.secrets)


@pytest.mark.usefixtures("_no_locking")
def test_a_warning_made_an_error_leaves_nothing_open() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnlockedMemory)
        with pytest.raises(UnlockedMemory):
            tenure.SecretBuffer(32)


def test_an_unknown_strictness_is_refused() -> None:
    with pytest.raises(SettingError, match="secrets cannot be 'loud'"):
        tenure.configure(secrets="loud")
