"""The owner of one token and of the one way to release it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import starmap
from sys import _getframe
from typing import Any, ClassVar, Final, Generic, NoReturn, TypeVar

from tenure._impl.contract import Job
from tenure._impl.pure import refuse
from tenure._impl.pure.acquire import prepare, record, undo
from tenure._impl.pure.books import NO_LEASES, book, queue
from tenure._impl.pure.lease import Lease
from tenure._impl.pure.life import Life
from tenure._impl.pure.release import close, end, place_of, settle, strike
from tenure._impl.pure.remains import Remains
from tenure.lifecycle import TABLE, Event, State

__all__ = ["Handle"]

T = TypeVar("T")
Self = TypeVar("Self", bound="Handle[Any]")

_OPEN, _LEASED, _CLOSING, _ABANDONED, _CLOSED = State
_AFTER_ABANDON: Final = {leased: TABLE[(_LEASED if leased else _OPEN), Event.ABANDON].state for leased in (False, True)}

_new_lease = object.__new__


class Handle(Life, Generic[T]):
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

    __slots__ = ("__weakref__",)

    _plain: ClassVar[bool] = True  #: whether it is this class itself, whose release cannot reach it

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
        if hasattr(self, "_mark"):
            refuse.twice(self)
        prepare(self, release, kind, size, parent, via)
        try:
            # The factory is called in here: what it returns is in the box with no bytecode in between.
            self._box.extend(starmap(factory, (args,)))
            record(self, factory, shared)
        except BaseException as error:
            undo(self, error)
            raise

    @classmethod
    def own(
        cls: type[Self],
        token: Any,
        /,
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
        prepare(self, release, kind, size, parent, via)
        try:
            self._box.append(token)
            record(self, cls.own, shared)
        except BaseException as error:
            undo(self, error)
            raise
        return self

    def lease(self) -> Lease[T]:
        """A right to use the token, which puts off its release: ``with handle.lease() as token: …``.

        Raises ``ClosedHandle`` from the moment of ``close()`` on, ``WrongThread`` if it is confined elsewhere.
        """
        try:
            extra = self._extra
        except AttributeError:
            refuse.unopened(self)
        if extra is not None:
            refuse.check_thread(self, extra, "lease")
        leases = self._leases
        if leases is NO_LEASES:
            leases = self._own_leases()
        lease: Lease[T] = _new_lease(Lease)
        lease._handle = self
        # Invariant: the lease stands among the leases before the state and the box are read, as close() and detach() do
        # the reverse.
        leases[lease] = None
        if self._state is not _OPEN or not self._box:
            lease.give_back()
            refuse.closed(self)
        return lease

    def close(self, *, wait: bool = False, timeout: float | None = None) -> None:
        """Release the token, once; children first. While leases are out the last one back releases.

        With ``wait`` it returns when the token has been released, or raises ``CloseTimeout`` after ``timeout`` seconds
        (the handle stays closing). A second close does nothing, or raises ``AlreadyClosed`` if configured so;
        ``LeasedHandle`` if ``configure(close="refuse")`` and leases are out. What the release function raises passes
        through, and the handle is closed all the same.
        """
        close(self, _getframe(1), wait, timeout)

    _plain_close = close  #: as it stands here, whatever a subclass makes of it

    def detach(self) -> T:
        """Give the token up without a release: the caller owns it now.

        Raises ``LeasedHandle`` while leases are out or children open, ``ClosedHandle`` if there is no token any more.
        """
        try:
            leases = self._leases
        except AttributeError:
            refuse.unopened(self)
        if leases:
            refuse.leased(self, "detach")
        place, box = place_of(_getframe(1), self), self._box
        try:
            token = box[0]
            del box[0]
        except IndexError:
            refuse.closed(self)
        # Invariant: the token is out of its box before the leases are counted, as lease() does the reverse.
        if self._leases:
            box[:] = (token,)
            if self._state is not _OPEN:  # who closed meanwhile found no token to release
                self._state = _CLOSING
                if not self._leases:
                    settle(self)
            refuse.leased(self, "detach")
        self._closed = place
        strike(self._mark, token)
        next(book.detached)
        end(self)
        return token  # type: ignore[no-any-return]

    @property
    def state(self) -> State:
        """Where it stands in the lifecycle."""
        try:
            state = self._state
        except AttributeError:
            refuse.unopened(self)
        return _LEASED if state is _OPEN and self._leases else state

    @property
    def closed(self) -> bool:
        """Whether it takes no more leases."""
        return self.state not in (_OPEN, _LEASED)

    def __enter__(self: Self) -> Self:
        if self.closed:
            refuse.closed(self)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self.state is not _CLOSED:
            close(self, _getframe(1), False, None)

    def __repr__(self) -> str:
        if not hasattr(self, "_mark"):
            return f"<{type(self).__name__}, never opened>"
        return f"<{type(self).__name__} {self._which}, {self.state.name.lower()}, opened at {self._site}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied or pickled: two owners would release one token twice.")

    def __del__(self) -> None:
        # Runs wherever the last reference was dropped, perhaps inside the collector: it may look and enqueue, no more.
        try:
            state = self._state
        except AttributeError:  # its constructor failed before there was anything
            return
        if queue is None:  # the interpreter ends and has emptied this module; exit closed it
            return
        if state is _CLOSED and not self._box and (self._extra is None or self._left):
            return
        leases = self._leases
        for key in [key for key in leases if type(key) is Lease] if leases else ():
            del leases[key]  # a lease holds its handle, so where nobody holds the handle all its leases are lost
        leaked = state is _OPEN and bool(self._box)
        if leaked:
            self._state = _AFTER_ABANDON[bool(leases)]
            next(book.abandoned)
        # Also when it was closing: an interrupted close may have left the token, or the lease on the parent, behind.
        queue.put(Remains(self, leaked))
