"""What is left of a handle that nobody holds: enough to report it and to release it."""

from __future__ import annotations

from collections.abc import Callable
from sys import _getframe
from typing import TYPE_CHECKING, Any
from weakref import ref

from tenure._impl.contract import Entry, Job
from tenure._impl.pure import refuse
from tenure._impl.pure.books import book, lost
from tenure._impl.pure.life import Life
from tenure._impl.pure.release import close_below, end, settle, strike
from tenure.lifecycle import State

if TYPE_CHECKING:
    from tenure._impl.pure.handle import Handle

__all__ = ["Remains"]


class Remains(Life):
    """The life of a resource whose handle is gone."""

    __slots__ = ("_weak", "leaked")

    def __init__(self, handle: Handle[Any], leaked: bool) -> None:
        # One by one, as a loop over the slots takes six times as long; a test compares.
        self._box, self._closed, self._extra = handle._box, handle._closed, handle._extra
        self._leases, self._mark, self._release = handle._leases, handle._mark, handle._release
        self._since, self._site, self._state = handle._since, handle._site, handle._state
        # Made now, so that it outlives the collector's clearing of older ones if somebody resurrects the handle.
        self._weak = ref(handle)
        self.leaked = leaked  #: whether it was abandoned, rather than closed and only now let go
        lost[self._mark] = self

    @property
    def entry(self) -> Entry:
        """What the ledger says of it."""
        return self._entry

    @property
    def via(self) -> Callable[[Job], object] | None:
        """Through whom it must be released, if it is confined."""
        return self._extra and self._extra.via

    def close(self) -> None:
        """Release the token, once, unless a child is open: the last one to leave does it then."""
        failures = close_below(self._mark, _getframe())
        if not self._leases:
            try:
                settle(self)
            except BaseException as error:
                failures = (*failures, error)
        self._tell_ghost()
        refuse.together(failures)

    def disown(self) -> None:
        """End the ownership without a release."""
        for token in self._box[:1]:
            strike(self._mark, token)
            self._box.clear()
            next(book.disowned)
        end(self)
        self._tell_ghost()

    def ghost(self) -> object | None:
        """The handle itself, if it was abandoned and somebody holds it again after all."""
        return self._weak() if self.leaked else None

    def _tell_ghost(self) -> None:
        ghost: Any = self._weak()
        if ghost is not None and self._state is State.CLOSED:
            ghost._state = State.CLOSED
