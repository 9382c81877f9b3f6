"""The safety net's side (P5, P6, P7, P9): what a finalizer leaves behind, and the books that stay right."""

from __future__ import annotations

import gc
import os
import threading
from typing import Any

import pytest

from tenure._impl import chosen
from tenure.errors import ClosedHandle, DisownedHandle
from tenure.lifecycle import State

from .conftest import Runtime


def test_what_nobody_holds_is_released_and_counted_as_abandoned(runtime: Runtime) -> None:
    runtime.own(1)
    runtime.drain()
    assert runtime.released == [1]
    assert (runtime.booked.abandoned, runtime.booked.closed) == (1, 1)


def test_the_collector_releases_nothing_by_itself(runtime: Runtime) -> None:
    where: list[int] = []

    class Ring:
        def __init__(self) -> None:
            self.handle = runtime.Handle.own(1, release=lambda _: where.append(collecting[0]))
            self.me = self

    collecting = [0]
    Ring()
    collecting[0] = 1
    gc.collect()
    collecting[0] = 0
    runtime.drain()
    assert where in ([0], [1] if runtime.module is chosen else [0])  # another thread may run meanwhile, if there is one


def test_parent_and_child_in_one_cycle_are_released_child_first(runtime: Runtime) -> None:
    class Node(runtime.Handle):  # type: ignore[misc,name-defined]
        pass

    parent = Node.own(1, release=runtime.released.append)
    child = Node.own(2, release=runtime.released.append, parent=parent)
    parent.child, child.me = child, child
    del parent, child
    runtime.drain()
    assert runtime.released == [2, 1]


def test_a_lost_lease_loses_nothing_but_itself(runtime: Runtime) -> None:
    handle = runtime.own(1)
    handle.lease()
    handle.close()
    del handle
    runtime.drain()
    assert runtime.released == [1]


def test_a_lease_lost_in_a_cycle_with_its_handle_puts_nothing_off(runtime: Runtime) -> None:
    class Node(runtime.Handle):  # type: ignore[misc,name-defined]
        pass

    for token, closes in ((1, False), (2, True)):
        node = Node.own(token, release=runtime.released.append)
        node.lease_of_itself = node.lease()
        if closes:
            node.close()
        del node
        runtime.drain()
    assert runtime.released == [1, 2]


@pytest.mark.filterwarnings("ignore::tenure.errors.ResurrectedHandle")
def test_a_resurrected_handle_is_closed(runtime: Runtime) -> None:
    kept: list[Any] = []

    class Owner:
        def __init__(self) -> None:
            self.handle = runtime.own(1)
            self.me = self

        def __del__(self) -> None:
            kept.append(self)

    Owner()
    runtime.drain()
    assert runtime.released == [1]
    assert kept[0].handle.state is State.CLOSED
    with pytest.raises(ClosedHandle, match="closed at the moment nobody held it any more"):
        kept[0].handle.lease()
    kept[0].me = None
    kept.clear()


def test_the_queue_keeps_its_order_and_takes_jobs(runtime: Runtime) -> None:
    order: list[Any] = runtime.released
    runtime.module.queue.put(lambda: order.append("first"))
    runtime.own(1)
    runtime.module.queue.put(lambda: order.append("last"))
    runtime.drain()
    assert order == ["first", 1, "last"]


def test_an_empty_queue_answers_none_when_the_time_is_up(runtime: Runtime) -> None:
    if runtime.module is chosen:
        pytest.skip("the release thread takes from this queue")
    assert runtime.module.queue.get(0) is None
    assert runtime.module.queue.get(0.01) is None
    assert len(runtime.module.queue) == 0


def test_somebody_who_waits_at_the_queue_is_woken(runtime: Runtime) -> None:
    if runtime.module is chosen:
        pytest.skip("the release thread takes from this queue")
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(runtime.module.queue.get()))
    thread.start()
    runtime.module.queue.put(print)
    thread.join(10)
    assert got == [print]


def test_remains_tell_what_the_ledger_knew(runtime: Runtime) -> None:
    if runtime.module is chosen:
        pytest.skip("the release thread takes from this queue")
    runtime.own(7, kind="door", size=4)
    remains = runtime.module.queue.get(0)
    entry = remains.entry
    assert (entry.kind, entry.address, entry.size, entry.state) == ("door", 7, 4, State.ABANDONED)
    assert (remains.leaked, remains.via, remains.ghost()) == (True, None, None)
    remains.disown()
    assert (runtime.released, runtime.booked.disowned) == ([], 1)


def test_the_ledger_lists_what_is_open_oldest_first_and_holds_nobody(runtime: Runtime) -> None:
    before = len(runtime.module.entries())
    handles = [runtime.own(number, size=number) for number in range(5)]
    handles.pop(2).close()
    assert [entry.address for entry in runtime.module.entries()[before:]] == [0, 1, 3, 4]
    assert [handle for handle in runtime.module.handles() if handle in handles] == handles
    assert (runtime.booked.open, runtime.booked.size) == (4, 8)
    handles.clear()
    runtime.drain()
    assert runtime.booked.open == 0


def test_the_line_of_a_closed_handle_has_no_address(runtime: Runtime) -> None:
    handle = runtime.own(5)
    handle.close()
    entry = runtime.module.entry_of(handle)
    assert (entry.address, entry.state, entry.leases) == (0, State.CLOSED, 0)


def test_a_token_that_reaches_its_handle_keeps_the_books_right(runtime: Runtime) -> None:
    token: list[Any] = []
    handle = runtime.own(token)
    token.append(handle)
    handle.close()
    assert runtime.booked.closed == 1
    token.clear()
    runtime.released.clear()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_owns_nothing_of_its_parents(runtime: Runtime) -> None:
    handle = runtime.own(1)
    lease = handle.lease()
    child = os.fork()
    if child == 0:
        os._exit(_in_child(runtime, handle, lease))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    lease.give_back()
    handle.close()
    assert runtime.released == [1]


def _in_child(runtime: Runtime, handle: Any, lease: Any) -> int:
    """Zero if a child is as it should be."""
    if runtime.module is not chosen:
        runtime.module.disown_all()
    try:
        handle.lease()
        return 1
    except DisownedHandle as error:
        if f"belongs to process {os.getppid()}" not in str(error):
            return 2
    handle.close()
    lease.give_back()
    if runtime.released or runtime.module.counts() != (0,) * 7:
        return 3
    runtime.own(1).close()
    runtime.own(2)
    runtime.drain()
    return 0 if runtime.released == [1, 2] else 4
