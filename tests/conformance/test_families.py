"""Children before parents (P8), in families deeper than any stack, and as subclasses close."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tenure.errors import ClosedHandle
from tenure.lifecycle import State

from .conftest import Runtime

#: More than C's stack has room for, if each level took some of it.
DEEP = 100_000


def line_of_descent(runtime: Runtime, depth: int) -> list[Any]:
    """Handles, each the child of the one before."""
    handles = [runtime.own(0)]
    for token in range(1, depth):
        handles.append(runtime.own(token, parent=handles[-1]))
    return handles


def test_children_are_closed_newest_first_each_after_its_own(runtime: Runtime) -> None:
    root = runtime.own(0)
    older, newer = runtime.own(1, parent=root), runtime.own(2, parent=root)
    below = [
        runtime.own(token, parent=parent) for token, parent in ((11, older), (21, newer), (12, older), (22, newer))
    ]
    root.close()
    assert runtime.released == [22, 21, 2, 12, 11, 1, 0]
    assert {handle.state for handle in below} == {State.CLOSED}


def test_closing_the_first_of_a_deep_family_closes_the_last_first(runtime: Runtime) -> None:
    handles = line_of_descent(runtime, DEEP)
    handles[0].close()
    assert runtime.released == list(range(DEEP))[::-1]


def test_the_last_lease_back_releases_a_deep_family_that_is_closing(runtime: Runtime) -> None:
    handles = line_of_descent(runtime, DEEP)
    with handles[-1].lease():
        handles[0].close()
        assert {handle.state for handle in handles} == {State.CLOSING}
    assert runtime.released == list(range(DEEP))[::-1]


def test_a_deep_family_that_nobody_holds_is_gone_after_one_drain(runtime: Runtime) -> None:
    last = line_of_descent(runtime, 2_000).pop()
    assert last.state is State.OPEN
    del last
    runtime.drain()
    assert runtime.released == list(range(2_000))[::-1]


def test_a_forked_child_lets_go_of_a_deep_family(runtime: Runtime) -> None:
    handles = line_of_descent(runtime, 3 * DEEP)  # a frame of dealloc is small
    pid = os.fork()
    if pid == 0:
        last = handles.pop()
        handles.clear()
        runtime.module.disown_all()
        del last
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    handles[0].close()


def test_every_release_of_a_line_is_done_though_all_of_them_raise(runtime: Runtime) -> None:
    def release(token: int) -> None:
        runtime.released.append(token)
        raise OSError(token)

    first = runtime.own(0, release=release)
    second = runtime.own(1, release=release, parent=first)
    third = runtime.own(2, release=release, parent=second)
    with pytest.raises(OSError, match="0") as caught:
        first.close()
    assert runtime.released == [2, 1, 0]
    assert third.state is State.CLOSED
    contexts = [caught.value.__context__, caught.value.__context__ and caught.value.__context__.__context__]
    assert [str(each) for each in contexts] == ["1", "2"]


def test_a_close_that_a_subclass_wrote_is_honoured_while_its_children_are_open(runtime: Runtime) -> None:
    seen: list[tuple[str, State]] = []

    class Session(runtime.Handle):  # type: ignore[name-defined, misc]
        def close(self, **options: Any) -> None:
            seen.append(("session", child.state))
            super().close(**options)

    class Silent(runtime.Handle):  # type: ignore[name-defined, misc]
        pass

    root = runtime.own(1)
    middle = Session.own(2, release=runtime.released.append, parent=root)
    child = Silent.own(3, release=runtime.released.append, parent=middle)
    root.close()
    assert seen == [("session", State.OPEN)]
    assert runtime.released == [3, 2, 1]


def test_a_close_put_on_one_handle_is_honoured(runtime: Runtime) -> None:
    class Patched(runtime.Handle):  # type: ignore[name-defined, misc]
        pass

    parent = runtime.own(1)
    child = Patched.own(2, release=runtime.released.append, parent=parent)
    seen: list[int] = []
    child.close = lambda: seen.append(2)
    parent.close()
    assert (seen, parent.state) == ([2], State.CLOSING)
    del child.close
    child.close()
    assert runtime.released == [2, 1]


def test_a_child_says_that_the_line_which_closed_its_parent_closed_it(runtime: Runtime) -> None:
    parent = runtime.own(1)
    child = runtime.own(2, parent=parent)
    parent.close()
    with pytest.raises(ClosedHandle, match=r"closed at \S*test_families\.py:\d+ in test_a_child_says"):
        child.lease()


def test_a_parent_that_is_closed_while_a_child_is_being_opened_waits_for_the_child(runtime: Runtime) -> None:
    parent = runtime.own(1)

    def make() -> int:
        parent.close()
        return 2

    child = runtime.Handle(make, release=runtime.released.append, parent=parent)
    assert (child.state, parent.state, runtime.released) == (State.OPEN, State.CLOSING, [])
    child.close()
    assert (runtime.released, runtime.booked.open) == ([2, 1], 0)


def test_a_parent_that_was_closed_is_released_when_the_child_that_was_being_opened_fails(runtime: Runtime) -> None:
    parent = runtime.own(1)

    def make() -> int:
        parent.close()
        raise OSError("no such device")

    with pytest.raises(OSError, match="no such device"):
        runtime.Handle(make, release=runtime.released.append, parent=parent)
    assert (runtime.released, parent.state) == ([1], State.CLOSED)


def test_a_handle_that_its_own_factory_closes_and_leases_is_open_afterwards(runtime: Runtime) -> None:
    class Hasty(runtime.Handle):  # type: ignore[name-defined, misc]
        def __init__(self, parent: Any) -> None:
            super().__init__(self._make, release=runtime.released.append, parent=parent)

        def _make(self) -> int:
            self.close()
            with pytest.raises(ClosedHandle):
                self.lease()
            return 2

    parent = runtime.own(1)
    hasty = Hasty(parent)
    parent.close()
    assert (hasty.state, runtime.released, runtime.booked.open) == (State.CLOSED, [2, 1], 0)
