"""The owner of one token and of the one way to release it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import starmap
from typing import Any, ClassVar, Final, Generic, NoReturn, TypeVar

from tenure._impl.contract import Job
from tenure._impl.pure import refuse
from tenure._impl.pure.acquire import acquire, prepare
from tenure._impl.pure.books import Cell, book, queue, tokens, which
from tenure._impl.pure.lease import Lease
from tenure._impl.pure.release import close, end, forget_owner, place_of
from tenure._impl.pure.remains import Remains
from tenure._impl.site import _getframe
from tenure.lifecycle import TABLE, Event, State

__all__ = ["Handle"]

T = TypeVar("T")
Self = TypeVar("Self", bound="Handle[Any]")

_OPEN, _LEASED, _CLOSING, _ABANDONED, _CLOSED = State
_AFTER_ABANDON: Final = {leased: TABLE[(_LEASED if leased else _OPEN), Event.ABANDON].state for leased in (False, True)}


class Handle(Generic[T]):
    """The owner of one token and of the one way to release it.

    ``Handle(factory, *args, release=close)`` calls ``factory(*args)`` and owns what it returns, with no gap in which a
    signal could lose it; ``Handle.own(token, release=close)`` owns a token that exists. ``release`` is called with the
    token, exactly once, when the handle is closed, or by the safety net when nobody holds the handle any more.

    * ``kind`` names the resource in messages; by default the subclass's or the release function's name.
    * ``size`` is what it holds, in bytes, for the ledger.
    * ``parent`` is a handle that must outlive this one: closing it closes this one first.
    * ``via`` confines the resource to the thread that opened it: there alone it can be leased and closed, and the
      safety net hands its release to ``via``, a function that takes a function and runs it on that thread
      (``loop.call_soon_threadsafe``, an executor's ``submit``).
    * ``shared`` allows a second owner for the same token, for libraries that count references.

    Raises ``NoToken`` if the factory returns None, ``AlreadyOwned`` if the token has an owner, ``CapturedOwner`` if
    ``release`` reaches this handle, ``ClosedHandle`` if ``parent`` is closed, and whatever the factory raises.
    """

    __slots__ = ("__weakref__", "_cell", "_parent", "_release", "_via")

    _plain: ClassVar[bool] = True  #: whether it is this class itself, whose release cannot reach it
    _cell: Cell
    _parent: Handle[Any] | None
    _release: Callable[[T], object]
    _via: tuple[Callable[[Job], object], int] | None

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        cls._plain = False
        if "__del__" in cls.__dict__:
            raise TypeError(
                f"{cls.__qualname__} defines __del__, which would replace the safety net. "
                "Pass release=, a function of the token alone."
            )

    def __init__(
        self,
        factory: Callable[..., T],
        /,
        *args: Any,
        release: Callable[[T], object],
        kind: str | None = None,
        size: int = 0,
        parent: Handle[Any] | None = None,
        via: Callable[[Job], object] | None = None,
        shared: bool = False,
    ) -> None:
        cell = prepare(self, release, kind, size, parent, via)
        acquire(self, zip((cell,), starmap(factory, (args,)), strict=False), factory, shared)

    @classmethod
    def own(
        cls: type[Self],
        token: Any,
        *,
        release: Callable[[Any], object],
        kind: str | None = None,
        size: int = 0,
        parent: Handle[Any] | None = None,
        via: Callable[[Job], object] | None = None,
        shared: bool = False,
    ) -> Self:
        """Own ``token``, which exists already; the arguments are those of the class."""
        self = cls.__new__(cls)
        cell = prepare(self, release, kind, size, parent, via)
        acquire(self, ((cell, token),), None, shared)
        return self

    def lease(self) -> Lease[T]:
        """A right to use the token, which puts off its release: ``with handle.lease() as token: …``.

        Raises ``ClosedHandle`` from the moment of ``close()`` on, ``WrongThread`` if it is confined elsewhere.
        """
        return Lease(self)

    def close(self, *, wait: bool = False, timeout: float | None = None) -> None:
        """Release the token, once; children first. While leases are out the last one back releases.

        With ``wait`` it returns when the token has been released, or raises ``CloseTimeout`` after ``timeout`` seconds
        (the handle stays closing). A second close does nothing, or raises ``AlreadyClosed`` if configured so;
        ``LeasedHandle`` if ``configure(close="refuse")`` and leases are out. What the release function raises passes
        through, and the handle is closed all the same.
        """
        close(self, _getframe(1), wait, timeout)

    def detach(self) -> T:
        """Give the token up without a release: the caller owns it now.

        Raises ``LeasedHandle`` while leases are out or children open, ``ClosedHandle`` if there is no token any more.
        """
        cell = self._cell
        if cell.leases:
            refuse.leased(cell, "detach")
        forget_owner(cell)
        place = place_of(_getframe(1), cell)
        token = tokens.pop(cell, None)
        if token is None:
            refuse.closed(cell)
        cell.closed = place
        next(book.detached)
        end(cell, self._parent)
        return token  # type: ignore[no-any-return]

    @property
    def state(self) -> State:
        """Where it stands in the lifecycle."""
        cell = self._cell
        return _LEASED if cell.state is _OPEN and cell.leases else cell.state

    @property
    def closed(self) -> bool:
        """Whether it takes no more leases."""
        return self._cell.state is not _OPEN

    def __enter__(self: Self) -> Self:
        if self._cell.state is not _OPEN:
            refuse.closed(self._cell)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._cell.state is not _CLOSED:
            close(self, _getframe(1), False, None)

    def __repr__(self) -> str:
        cell = getattr(self, "_cell", None)
        if cell is None:
            return f"<{type(self).__name__}, never opened>"
        return f"<{type(self).__name__} {which(cell)}, {self.state.name.lower()}, opened at {cell.site}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied or pickled: two owners would release one token twice.")

    def __del__(self) -> None:
        # Runs wherever the last reference was dropped, perhaps inside the collector: it may look and enqueue, no more.
        try:
            cell = self._cell
        except AttributeError:
            return
        if cell.state is _CLOSED:
            return
        leaked = cell.state is _OPEN and cell in tokens
        if leaked:
            cell.state = _AFTER_ABANDON[bool(cell.leases)]
            next(book.abandoned)
        # Also when it was closing: an interrupted close may have left the token, or the lease on the parent, behind.
        queue.put(Remains(self, leaked))
