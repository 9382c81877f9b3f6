"""Released exactly once (P2), never in use (P3), never used after (P4), children first (P8)."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import threading
from typing import Any

import pytest

from tenure.errors import AlreadyClosed, ClosedHandle, CloseTimeout, LeasedHandle, WrongThread
from tenure.lifecycle import State

from .conftest import Runtime


def test_a_second_close_does_nothing(runtime: Runtime) -> None:
    handle = runtime.own(1)
    handle.close()
    handle.close()
    assert runtime.released == [1]
    assert handle.closed


def test_a_second_close_is_an_error_where_so_configured(runtime: Runtime) -> None:
    runtime.configure(strict=True)
    handle = runtime.own(1)
    handle.close()
    with pytest.raises(AlreadyClosed, match=r"0x1 was already closed at .*test_closing\.py:\d+ in test_a_second"):
        handle.close()


def test_leaving_a_block_after_a_close_is_never_an_error(runtime: Runtime) -> None:
    runtime.configure(strict=True)
    with runtime.own(1) as handle:
        handle.close()
    assert runtime.released == [1]


def test_what_the_release_raises_passes_through_and_the_handle_is_closed(runtime: Runtime) -> None:
    handle = runtime.Handle.own(0, release=lambda token: 1 // token)
    with pytest.raises(ZeroDivisionError):
        handle.close()
    assert handle.state is State.CLOSED
    assert runtime.booked.closed == 1


def test_the_last_lease_back_releases_what_was_closed_under_it(runtime: Runtime) -> None:
    handle = runtime.own(1)
    first, second = handle.lease(), handle.lease()
    assert handle.state is State.LEASED
    handle.close()
    assert (handle.state, handle.closed, runtime.released) == (State.CLOSING, True, [])
    with pytest.raises(ClosedHandle):
        handle.lease()
    first.give_back()
    first.give_back()
    assert (handle.state, second.token) == (State.CLOSING, 1)
    second.give_back()
    assert (handle.state, runtime.released) == (State.CLOSED, [1])


def test_a_lease_given_back_gives_no_token(runtime: Runtime) -> None:
    with runtime.own(1) as handle:
        lease = handle.lease()
        lease.give_back()
        with pytest.raises(ClosedHandle, match=r"^the lease of append handle 0x1 is closed"):
            lease.token  # noqa: B018


def test_a_closed_handle_says_where_it_was_opened_and_closed(runtime: Runtime) -> None:
    handle = runtime.Handle.own(0x2A, release=runtime.released.append, kind="door")
    handle.close()
    told = r"^door handle 0x2a is closed. Opened at \S*test_closing.py:\d+ in test_a_c.*, closed at \S+:\d+ in test_a_"
    for use in (handle.lease, handle.detach, handle.__enter__):
        with pytest.raises(ClosedHandle, match=told):
            use()


def test_close_is_refused_under_a_lease_where_so_configured(runtime: Runtime) -> None:
    runtime.configure(refuse=True)
    handle = runtime.own(1)
    with handle.lease(), pytest.raises(LeasedHandle, match=r"cannot close append handle 0x1: 1 lease\(s\) are out"):
        handle.close()
    child = runtime.own(2, parent=handle)
    handle.close()  # a child is no user
    assert (child.state, runtime.released) == (State.CLOSED, [2, 1])


def test_close_waits_for_the_last_lease(runtime: Runtime) -> None:
    handle = runtime.own(1)
    lease = handle.lease()
    closer = threading.Thread(target=handle.close, kwargs={"wait": True})
    closer.start()
    while handle.state is not State.CLOSING:
        pass
    lease.give_back()
    closer.join(10)
    assert not closer.is_alive()
    assert runtime.released == [1]


def test_waiting_in_vain_is_an_error_and_the_handle_goes_on_closing(runtime: Runtime) -> None:
    handle = runtime.own(1)
    with handle.lease():
        with pytest.raises(CloseTimeout, match=r"is not released after 0.01 s: 1 lease\(s\) are out"):
            handle.close(wait=True, timeout=0.01)
        assert handle.state is State.CLOSING
    assert runtime.released == [1]


def test_close_waits_for_a_release_that_another_thread_has_begun(runtime: Runtime) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def release(token: int) -> None:
        begun.set()
        go_on.wait(60)
        runtime.released.append(token)

    handle = runtime.own(1, release=release)
    first = threading.Thread(target=handle.close)
    first.start()
    begun.wait(60)
    with pytest.raises(CloseTimeout, match=r"0 lease\(s\) are out.*with none out, its release still runs"):
        handle.close(wait=True, timeout=0.01)
    second = threading.Thread(target=handle.close, kwargs={"wait": True})
    second.start()
    go_on.set()
    second.join(60)
    assert runtime.released == [1]
    first.join(60)
    handle.close(wait=True)


def test_a_parent_is_not_released_while_the_release_of_its_child_is_running(runtime: Runtime) -> None:
    parent = runtime.own(1)

    def release(token: int) -> None:
        parent.close()
        runtime.released.append(token)

    runtime.own(2, release=release, parent=parent).close()
    assert (runtime.released, parent.state) == ([2, 1], State.CLOSED)


def test_a_handle_and_a_lease_are_neither_copied_nor_pickled(runtime: Runtime) -> None:
    with runtime.own(1) as handle, handle.lease():
        lease = handle.lease()
        for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
            for thing in (handle, lease):
                with pytest.raises(TypeError, match="cannot be copied or pickled"):
                    attempt(thing)
        lease.give_back()


def test_a_lease_is_made_by_a_handle_only(runtime: Runtime) -> None:
    with pytest.raises(TypeError, match=re.escape("a lease is made by handle.lease()")):
        runtime.module.Lease()


def test_detaching_gives_the_token_up(runtime: Runtime) -> None:
    handle = runtime.own(1)
    assert handle.detach() == 1
    assert (handle.state, runtime.released, runtime.booked.detached) == (State.CLOSED, [], 1)


def test_nothing_in_use_is_detached(runtime: Runtime) -> None:
    with runtime.own(1) as handle, handle.lease(), pytest.raises(LeasedHandle, match="cannot detach"):
        handle.detach()


def test_closing_a_parent_closes_its_children_newest_first(runtime: Runtime) -> None:
    parent = runtime.own(1)
    children = [runtime.own(number, parent=parent) for number in (2, 3)]
    grandchild = runtime.own(4, parent=children[0])
    parent.close()
    assert runtime.released == [3, 4, 2, 1]
    assert {handle.state for handle in (parent, grandchild, *children)} == {State.CLOSED}


def test_a_leased_child_keeps_its_parent(runtime: Runtime) -> None:
    parent = runtime.own(1)
    with runtime.own(2, parent=parent).lease():
        parent.close()
        assert (parent.state, runtime.released) == (State.CLOSING, [])
    assert runtime.released == [2, 1]


def test_a_child_keeps_a_parent_that_nobody_names(runtime: Runtime) -> None:
    child = runtime.own(2, parent=runtime.own(1))
    gc.collect()
    assert runtime.released == []
    child.close()
    del child
    runtime.drain()
    assert runtime.released == [2, 1]


def test_a_child_closes_as_its_class_says(runtime: Runtime) -> None:
    class Flushed(runtime.Handle):  # type: ignore[misc,name-defined]
        def close(self, **how: Any) -> None:
            runtime.released.append("flushed")
            super().close(**how)

    parent = runtime.own(1)
    child = Flushed.own(2, release=runtime.released.append, parent=parent)
    parent.close()
    assert runtime.released == ["flushed", 2, 1]
    del child


def test_the_failures_of_several_children_are_raised_together(runtime: Runtime) -> None:
    parent = runtime.own(1)
    children = [runtime.Handle.own(n, release=lambda token: token / 0, parent=parent) for n in (2, 3)]
    with pytest.raises(BaseExceptionGroup, match="several releases failed") as raised:
        parent.close()
    assert [type(error) for error in raised.value.exceptions] == [ZeroDivisionError] * 2
    assert (runtime.released, len(children)) == ([1], 2)


def test_a_confined_handle_is_used_on_its_own_thread_only(runtime: Runtime) -> None:
    handle = runtime.own(1, via=lambda job: job())
    failures: list[str] = []

    def elsewhere() -> None:
        for act in (handle.lease, handle.close):
            with pytest.raises(WrongThread) as raised:
                act()
            failures.append(str(raised.value))

    thread = threading.Thread(target=elsewhere, name="elsewhere")
    thread.start()
    thread.join()
    assert [told.split(" append")[0] for told in failures] == ["cannot lease", "cannot close"]
    assert all("on thread 'elsewhere': it is confined to 'MainThread'" in told for told in failures)
    handle.close()
    assert runtime.released == [1]


def test_what_it_says_of_itself_names_kind_address_state_and_line(runtime: Runtime) -> None:
    with runtime.Handle.own(10, release=runtime.released.append, kind="door") as handle:
        assert re.match(r"<Handle door handle 0xa, open, opened at \S*test_closing\.py:\d+ in test_what_", repr(handle))
        lease = handle.lease()
        assert repr(lease) == "<Lease of door handle 0xa, out>"
        lease.give_back()
        assert repr(lease) == "<Lease of door handle 0xa, given back>"


def test_what_was_never_opened_says_so(runtime: Runtime) -> None:
    handle = runtime.Handle.__new__(runtime.Handle)
    assert repr(handle) == "<Handle, never opened>"
    with pytest.raises(AttributeError):
        handle.lease()


def test_a_release_that_closes_its_own_handle_again_is_called_once(runtime: Runtime) -> None:
    handles: list[Any] = []

    def release(token: int) -> None:
        runtime.released.append(token)
        handles[0].close()

    handles.append(runtime.Handle.own(1, release=release))
    handles[0].close()
    assert runtime.released == [1]


def test_a_token_may_be_owned_anew_from_within_its_release(runtime: Runtime) -> None:
    again: list[Any] = []

    def release(token: int) -> None:
        if not again:
            again.append(runtime.Handle.own(token, release=release))

    runtime.Handle.own(1, release=release).close()
    again[0].close()
    assert runtime.booked[:2] == (2, 2)
