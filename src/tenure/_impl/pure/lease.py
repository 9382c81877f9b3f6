"""A right to use a handle, which puts off its release."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, NoReturn, TypeVar

from tenure._impl.pure import refuse
from tenure._impl.pure.release import last_back
from tenure.lifecycle import State

if TYPE_CHECKING:
    from tenure._impl.pure.handle import Handle

__all__ = ["Lease"]

T = TypeVar("T")

_OPEN: Final = State.OPEN


class Lease(Generic[T]):
    """A right to use a handle, which puts off its release: ``with handle.lease() as token: …``.

    ``Handle.lease`` makes them. One that is lost instead of given back counts as out until nobody holds its handle, at
    the latest.
    """

    __slots__ = ("__weakref__", "_handle")

    _handle: Handle[T]

    def __init__(self) -> None:
        raise TypeError("a lease is made by handle.lease()")

    @property
    def token(self) -> T:
        """The token, as long as the lease is out; ``ClosedHandle`` after."""
        handle = self._handle
        if self not in handle._leases or not handle._box:
            refuse.closed(handle, "the lease of ")
        return handle._box[0]  # type: ignore[no-any-return]

    def give_back(self) -> None:
        """End the lease; a second time does nothing. If the handle is closing and this was the last, release it."""
        handle = self._handle
        try:
            del handle._leases[self]
        except KeyError:
            return
        if handle._state is not _OPEN and not handle._leases:
            last_back(handle)

    def __enter__(self) -> T:
        return self._handle._box[0]  # type: ignore[no-any-return]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle = self._handle
        try:
            del handle._leases[self]
        except KeyError:
            return
        if handle._state is not _OPEN and not handle._leases:
            last_back(handle)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied or pickled: it would be given back twice.")

    def __repr__(self) -> str:
        out = "out" if self in self._handle._leases else "given back"
        return f"<Lease of {self._handle._which}, {out}>"
