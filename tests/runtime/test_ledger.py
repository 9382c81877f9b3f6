"""The ledger says what is open, since when and from which line; its books balance and it keeps nothing alive."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

import tenure
from tenure import ledger
from tenure.errors import LeaksFound
from tenure.lifecycle import State

pytestmark = pytest.mark.usefixtures("leaks_are_reported")


def test_an_entry_says_what_is_open(released: list[int]) -> None:
    with tenure.own(0x55D0, release=released.append, kind="sqlite", size=64) as handle, handle.lease():
        (entry,) = ledger.snapshot()
        assert (entry.kind, entry.address, entry.size) == ("sqlite", 0x55D0, 64)
        assert (entry.state, entry.leases) == (State.LEASED, 1)
        assert entry.which == "sqlite handle 0x55d0"
        file, _, function = entry.site.frames()[0]
        assert file == __file__
        assert function == "test_an_entry_says_what_is_open"


def test_an_entry_leaves_with_its_handle(released: list[int]) -> None:
    handle = tenure.own(1, release=released.append)
    assert len(ledger.snapshot()) == 1
    handle.close()
    assert len(ledger.snapshot()) == 0


def test_it_is_out_of_the_ledger_before_its_token_can_come_again() -> None:
    seen: list[int] = []
    tenure.own(1, release=lambda token: seen.append(len(ledger.snapshot()))).close()
    assert seen == [0]


def test_a_snapshot_is_a_sequence_oldest_first(released: list[int]) -> None:
    with tenure.own(1, release=released.append, size=2), tenure.own(2, release=released.append, size=3):
        shot = ledger.snapshot()
        assert [entry.address for entry in shot] == [1, 2]
        assert [entry.address for entry in shot[1:]] == [2]
        assert shot.size == 5
        assert repr(shot) == "<Snapshot of 2 open, 5 bytes>"


def test_the_ledger_keeps_nothing_alive() -> None:
    class Release:
        def __call__(self, token: object) -> None: ...

    release = Release()
    handle = tenure.own(object(), release=release)
    there = weakref.ref(release)
    handle.close()
    del handle, release
    gc.collect()
    assert there() is None


def test_by_site_groups_by_line_and_kind_most_first(released: list[int]) -> None:
    with tenure.Scope() as scope:
        for number in range(3):
            scope.own(number, release=released.append, kind="many", size=10)
        scope.own(99, release=released.append, kind="one")
        lines = ledger.by_site()
        assert [(line.kind, line.open, line.size) for line in lines] == [("many", 3, 30), ("one", 1, 0)]
        assert all(line.oldest >= 0 for line in lines)


def test_stale_finds_what_is_older(released: list[int]) -> None:
    with tenure.own(1, release=released.append):
        assert [entry.address for entry in ledger.stale(older_than=-1)] == [1]
        assert ledger.stale(older_than=3600) == []


def test_diff_tells_what_came_and_what_went(released: list[int]) -> None:
    first = tenure.own(1, release=released.append)
    before = ledger.snapshot()
    first.close()
    with tenure.own(2, release=released.append):
        change = ledger.diff(before, ledger.snapshot())
    assert [entry.address for entry in change.opened] == [2]
    assert [entry.address for entry in change.closed] == [1]
    assert sorted(change.by_site().values()) == [-1, 1]


def test_the_books_balance(released: list[int]) -> None:
    before = ledger.counts()
    tenure.own(1, release=released.append).close()
    tenure.own(2, release=released.append).detach()
    with tenure.own(3, release=released.append, size=7):
        now = ledger.counts()
        assert now.opened - before.opened == 3
        assert now.closed - before.closed == 1
        assert now.detached - before.detached == 1
        assert (now.open, now.size) == (1, 7)
        assert now.opened == now.closed + now.detached + now.disowned + now.open


def test_a_refused_second_owner_is_not_in_the_books(released: list[int]) -> None:
    before = ledger.counts()
    with tenure.own(1, release=released.append), pytest.raises(tenure.errors.AlreadyOwned):
        tenure.own(1, release=released.append)
    after = ledger.counts()
    assert after.opened - before.opened == after.closed - before.closed == 1
    assert released == [1]


def test_assert_empty_names_each_line_that_leaks(released: list[int]) -> None:
    ledger.assert_empty()
    with tenure.own(1, release=released.append, kind="thing"), pytest.raises(LeaksFound) as caught:
        ledger.assert_empty()
    assert str(caught.value).startswith("1 handle(s) still open:\n  1 × thing, opened at ")
    assert "test_ledger.py:" in str(caught.value)


def test_threads_that_open_and_close_leave_the_books_balanced(released: list[int]) -> None:
    before = ledger.counts()

    def work(start: int) -> None:
        for number in range(start, start + 200):
            tenure.own(number, release=released.append).close()
            ledger.snapshot()

    threads = [threading.Thread(target=work, args=(n * 1000,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = ledger.counts()
    assert after.opened - before.opened == after.closed - before.closed == 800
    assert len(set(released)) == len(released) == 800


def test_sites_can_be_turned_off_and_sampled(released: list[int]) -> None:
    before = tenure.configure(sites=0)
    try:
        with tenure.own(1, release=released.append):
            assert str(ledger.snapshot()[0].site) == "an unknown place (sites are off, or not sampled)"
        tenure.configure(sites=1, sample=3)
        with tenure.Scope() as scope:
            for number in range(9):
                scope.own(number, release=released.append)
            known = [entry for entry in ledger.snapshot() if entry.site.frames()]
            assert len(known) == 3
    finally:
        tenure.configure(**before._asdict())
