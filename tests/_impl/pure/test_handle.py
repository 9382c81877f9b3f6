"""Who ends a handle and who leases it at the same moment never both get the token, whoever comes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenure._impl.pure import release
from tenure._impl.pure.handle import Handle
from tenure._impl.pure.lease import Lease
from tenure.errors import ClosedHandle, LeasedHandle
from tenure.lifecycle import State


class Box(list[Any]):
    """The box of a handle, in which something else happens just before or after the token is taken out."""

    before: Callable[[], object] = staticmethod(lambda: None)
    after: Callable[[], object] = staticmethod(lambda: None)

    def __delitem__(self, index: Any) -> None:
        self.before()
        super().__delitem__(index)
        self.after()

    def pop(self, index: Any = -1) -> Any:
        self.before()
        token = super().pop(index)
        self.after()
        return token


def handle_with_box(released: list[int]) -> tuple[Handle[int], Box]:
    handle: Handle[int] = Handle.own(7, release=released.append)
    box = Box(handle._box)
    handle._box = box
    return handle, box


def test_a_lease_that_comes_before_the_token_is_taken_refuses_the_detach() -> None:
    released: list[int] = []
    handle, box = handle_with_box(released)
    leases: list[Lease[int]] = []
    box.before = lambda: leases.append(handle.lease())
    with pytest.raises(LeasedHandle):
        handle.detach()
    assert leases[0].token == 7
    leases[0].give_back()
    box.before = lambda: None
    handle.close()
    assert released == [7]


def test_a_lease_that_comes_after_the_token_is_taken_is_refused() -> None:
    released: list[int] = []
    handle, box = handle_with_box(released)
    refused: list[bool] = []

    def ask() -> None:
        with pytest.raises(ClosedHandle):
            handle.lease()
        refused.append(True)

    box.after = ask
    assert handle.detach() == 7
    assert (refused, released, handle.state) == ([True], [], State.CLOSED)


def test_a_close_while_a_detach_has_the_token_is_made_good_when_the_detach_is_refused() -> None:
    released: list[int] = []
    handle, box = handle_with_box(released)
    leases: list[Lease[int]] = []

    def lease_first() -> None:
        box.before = lambda: None
        leases.append(handle.lease())

    def close_meanwhile() -> None:
        box.after = lambda: None
        handle.close()

    box.before, box.after = lease_first, close_meanwhile
    with pytest.raises(LeasedHandle):
        handle.detach()
    assert released == []
    leases[0].give_back()
    assert released == [7]


def test_a_lease_that_comes_while_a_close_has_begun_puts_the_release_off(monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[int] = []
    handle: Handle[int] = Handle.own(7, release=released.append)
    leases: list[Lease[int]] = []

    def place_of(frame: Any, life: Any) -> tuple[Any, int, int]:
        """Called after the close has seen no lease, and before it writes the state."""
        leases.append(handle.lease())
        return frame.f_code, frame.f_lasti, 7

    monkeypatch.setattr(release, "place_of", place_of)
    handle.close()
    assert (handle.state, released) == (State.CLOSING, [])
    leases[0].give_back()
    assert (handle.state, released) == (State.CLOSED, [7])


def test_a_handle_that_another_thread_closes_while_it_is_being_described_is_described() -> None:
    class Closing:
        """A release function whose name is asked for just when the other thread has closed the handle."""

        @property
        def __name__(self) -> str:
            handle.close()
            return "free"

        def __call__(self, token: int) -> None:
            pass

    handle: Handle[int] = Handle.own(7, release=Closing())
    assert repr(handle).startswith("<Handle free handle 0x7, closed, opened at ")
