"""A right to use a handle, which puts off its release."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from tenure._impl.pure import refuse
from tenure._impl.pure.books import NO_LEASES, leases_of, queue, tokens, which
from tenure._impl.pure.release import settle
from tenure._impl.pure.remains import Remains
from tenure.lifecycle import State

if TYPE_CHECKING:
    from tenure._impl.pure.handle import Handle

__all__ = ["Lease"]

T = TypeVar("T")

_OPEN: Final = State.OPEN
_CLOSING: Final = State.CLOSING


class Lease(Generic[T]):
    """A right to use a handle, which puts off its release: ``with handle.lease() as token: …``."""

    __slots__ = ("__weakref__", "_handle", "_key", "_leases", "_token")

    def __init__(self, handle: Handle[T]) -> None:
        cell = handle._cell
        if handle._via is not None:
            refuse.check_thread(handle, handle._via[1], "lease")
        leases = cell.leases
        if leases is NO_LEASES:
            leases = leases_of(cell)
        self._handle = handle
        self._leases = leases
        self._key = key = id(self)
        # Invariant: the lease stands among the leases before the state is read, as close() does the reverse.
        leases[key] = None
        if cell.state is not _OPEN:
            self.give_back()
            refuse.closed(cell)
        self._token = tokens[cell]

    @property
    def token(self) -> T:
        """The token, as long as the lease is out; ``ClosedHandle`` after."""
        if self._key not in self._leases:
            refuse.closed(self._handle._cell, "the lease of ")
        return self._token  # type: ignore[no-any-return]

    def give_back(self) -> None:
        """End the lease; a second time does nothing. If the handle is closing and this was the last, release it."""
        leases = self._leases
        if leases.pop(self._key, True) is None and not leases:
            handle = self._handle
            if handle._cell.state is _CLOSING:
                settle(handle._cell, handle._release, handle._parent)

    def __enter__(self) -> T:
        return self._token  # type: ignore[no-any-return]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    def __del__(self) -> None:
        # A lease nobody gave back: dropped, perhaps in the collector, so the release is left to the safety net.
        try:
            leases, handle = self._leases, self._handle
        except AttributeError:  # refused before it began
            return
        if leases and leases.pop(self._key, True) is None and not leases and handle._cell.state is _CLOSING:
            queue.put(Remains(handle, leaked=False))

    def __reduce__(self) -> Any:
        raise TypeError(f"{self!r} cannot be copied or pickled: it would be given back twice.")

    def __repr__(self) -> str:
        out = "out" if self._key in self._leases else "given back"
        return f"<Lease of {which(self._handle._cell)}, {out}>"
