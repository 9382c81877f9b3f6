"""What an interrupt leaves behind is picked up by the next to come: a second close, or the safety net."""

from __future__ import annotations

import gc

import pytest

import tenure
from tenure._impl.pure import Handle, release
from tenure._impl.pure.handle import Handle as PureHandle
from tenure.lifecycle import State

pytestmark = pytest.mark.skipif(
    tenure.implementation != "pure", reason="the safety net serves one implementation, here the native one"
)


def test_an_interrupt_before_the_token_is_taken_leaves_it_to_the_next_close(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[int] = []
    handle: PureHandle[int] = Handle.own(1, release=released.append)

    def interrupted(mark: object, token: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(release, "strike", interrupted)
        with pytest.raises(KeyboardInterrupt):
            handle.close()
    assert (handle.state, released) == (State.CLOSING, [])
    handle.close()
    assert (handle.state, released) == (State.CLOSED, [1])


def test_an_interrupted_close_of_a_handle_that_is_then_dropped_is_finished_by_the_safety_net(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released: list[int] = []
    handle: PureHandle[int] = Handle.own(1, release=released.append)
    monkeypatch.setattr(release, "strike", lambda mark, token: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        handle.close()
    monkeypatch.undo()
    del handle
    gc.collect()
    tenure.drain()
    assert released == [1]


def test_a_lost_lease_holds_the_release_back_only_until_its_handle_is_dropped() -> None:
    released: list[int] = []
    handle: PureHandle[int] = Handle.own(1, release=released.append)
    handle.lease()
    handle.close()
    assert released == []
    del handle
    gc.collect()
    tenure.drain()
    assert released == [1]
