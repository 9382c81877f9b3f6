"""Wrong code gets an error that says what is wrong, the same from both, and loses nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tenure.errors import CapturedOwner, ClosedHandle, NoToken
from tenure.lifecycle import State

from .conftest import Runtime


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"release": 5}, TypeError, "release must be callable, not int"),
        ({"kind": 5}, TypeError, "kind must be a str, not int"),
        ({"size": "big"}, TypeError, "size must be an int, not str"),
        ({"size": 1.5}, TypeError, "size must be an int, not float"),
        ({"size": -5}, ValueError, "size must be 0 bytes or more, not -5"),
        ({"parent": "me"}, TypeError, "parent must be a handle, not str"),
        ({"via": 5}, TypeError, "via must be callable, not int"),
        ({"nmae": 5}, TypeError, "unexpected keyword argument 'nmae'"),
    ],
)
def test_a_wrong_option_is_named_before_anything_is_acquired(
    runtime: Runtime, options: dict[str, Any], error: type[Exception], told: str
) -> None:
    acquired: list[int] = []
    with pytest.raises(error, match=told):
        runtime.Handle(lambda: acquired.append(1), **{"release": runtime.released.append, **options})
    assert acquired == []
    assert runtime.booked.opened == 0


def test_what_was_not_given_is_named(runtime: Runtime) -> None:
    with pytest.raises(TypeError, match=r"missing .*'release'"):
        runtime.Handle.own(1)
    with pytest.raises(TypeError, match=r"missing .*'factory'"):
        runtime.Handle(release=int)
    with pytest.raises(TypeError, match=r"takes .*positional argument"):
        runtime.Handle.own(1, 2, release=int)


def test_none_is_no_token(runtime: Runtime) -> None:
    with pytest.raises(NoToken, match="own returned None"):
        runtime.own(None)
    assert runtime.booked.opened == 0


def test_a_handle_is_opened_once(runtime: Runtime) -> None:
    with runtime.own(1) as handle, pytest.raises(TypeError, match="is open already; a handle owns one token"):
        handle.__init__(lambda: 2, release=runtime.released.append)
    assert runtime.released == [1]


def test_a_subclass_that_forgets_to_open_is_told(runtime: Runtime) -> None:
    class Forgetful(runtime.Handle):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            pass

    handle = Forgetful()
    assert repr(handle) == "<Forgetful, never opened>"
    for use in (
        handle.lease,
        handle.close,
        handle.detach,
        handle.__enter__,
        lambda: handle.__exit__(None, None, None),
        lambda: handle.state,
        lambda: handle.closed,
        lambda: runtime.own(1, parent=handle),
    ):
        with pytest.raises(AttributeError, match=r"Forgetful was never opened: call super\(\).__init__\("):
            use()


def test_a_constructor_that_raises_after_it_opened_releases_at_once_or_when_it_is_dropped(runtime: Runtime) -> None:
    class Unlucky(runtime.Handle):  # type: ignore[name-defined, misc]
        __slots__ = ("extra",)

        def __init__(self) -> None:
            super().__init__(lambda: 7, release=runtime.released.append)
            self.extra = 1 / 0

    with pytest.raises(ZeroDivisionError):
        Unlucky()
    runtime.drain()
    assert runtime.released == [7]


def test_a_release_may_close_its_handle_again_and_may_not_lease_it(runtime: Runtime) -> None:
    refused: list[str] = []

    def release(token: int) -> None:
        handle.close()
        handle.close(wait=True, timeout=60)
        try:
            handle.lease()
        except ClosedHandle as error:
            refused.append(str(error))
        runtime.released.append(token)

    handle = runtime.own(1, release=release)
    handle.close()
    assert (runtime.released, len(refused), handle.state) == ([1], 1, State.CLOSED)


def test_a_parent_that_is_falsy_is_a_parent(runtime: Runtime) -> None:
    class Empty(runtime.Handle):  # type: ignore[name-defined, misc]
        def __len__(self) -> int:
            return 0

    parent = Empty.own(1, release=runtime.released.append)
    child = runtime.own(2, parent=parent)
    parent.close()
    assert child.state is State.CLOSED
    assert runtime.released == [2, 1]


def test_a_release_that_reaches_its_own_subclass_is_refused_before_anything_is_acquired(runtime: Runtime) -> None:
    class Bound(runtime.Handle):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__(lambda: 1, release=self.release)

        def release(self, token: int) -> None: ...

    with pytest.raises(CapturedOwner, match=r"release\.__self__"):
        Bound()
    assert runtime.booked.opened == 0
