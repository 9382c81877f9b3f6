"""What is left of a handle that nobody holds: enough to report it and to release it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import ref

from tenure._impl.contract import Entry, Job
from tenure._impl.pure import refuse
from tenure._impl.pure.books import book, entry, tokens
from tenure._impl.pure.release import close_children, end, forget_owner, settled

if TYPE_CHECKING:
    from tenure._impl.pure.handle import Handle

__all__ = ["Remains"]


class Remains:
    """The cell, the release and the parent of a handle that is gone."""

    __slots__ = ("_cell", "_parent", "_release", "_via", "_weak", "leaked")

    def __init__(self, handle: Handle[Any], leaked: bool) -> None:
        self._cell, self._release, self._parent, self._via = handle._cell, handle._release, handle._parent, handle._via
        # Made now, so that it outlives the collector's clearing of older ones if somebody resurrects the handle.
        self._weak = ref(handle)
        self.leaked = leaked  #: whether it was abandoned, rather than closed and only now let go

    @property
    def entry(self) -> Entry:
        """What the ledger says of it."""
        return entry(self._cell)

    @property
    def via(self) -> Callable[[Job], object] | None:
        """Through whom it must be released, if it is confined."""
        return self._via and self._via[0]

    def close(self) -> None:
        """Release the token, once, unless a lease is out: the last one back does it then."""
        cell = self._cell
        failures = close_children(cell)
        if not cell.leases:
            failures += settled(cell, self._release, self._parent)
        refuse.together(failures)

    def disown(self) -> None:
        """End the ownership without a release."""
        forget_owner(self._cell)
        if tokens.pop(self._cell, self) is not self:
            next(book.disowned)
        end(self._cell, self._parent)

    def ghost(self) -> object | None:
        """The handle itself, if somebody holds it again after all."""
        return self._weak()
