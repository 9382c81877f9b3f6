"""The runtime's definition in pure Python: what ``tenure._native`` does fast, it does here, legibly.

How it holds its promises without a lock, so that a finalizer or a signal handler can never meet one of its own:

* ``_tokens`` maps each open resource to its token. A token enters it in the same call into C that made it
  (``dict.update`` drawing from the factory) and leaves it in the same call into C that releases it (``dict.pop``
  feeding the release function). No bytecode stands between, so no signal can fall there; and a key can be popped only
  once, so whoever comes first releases and everybody else finds nothing.
* A lease is put among the cell's leases *before* the state is read, and a close writes the state *before* the leases
  are counted. Whichever comes second sees the other, so a release never overlaps a lease.
* Giving a lease back removes a key, so doing it twice is the same as once.

The ledger's cells hold no handle, no release function and no parent: it keeps nothing alive.
"""

from __future__ import annotations

import os
import threading
from _queue import Empty, SimpleQueue
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import compress, count, starmap
from operator import is_not
from time import monotonic
from types import TracebackType
from typing import Any, Final, Generic, NoReturn, TypeVar
from weakref import ref

from tenure._impl.contract import Counts, Entry, Hooks, Job
from tenure._impl.site import UNKNOWN, Site, _getframe, capture, line_of
from tenure.errors import (
    AlreadyClosed,
    AlreadyOwned,
    ClosedHandle,
    CloseTimeout,
    DisownedHandle,
    LeasedHandle,
    NoToken,
    WrongThread,
)
from tenure.lifecycle import TABLE, Event, State

__all__ = [
    "Cell",
    "Handle",
    "Lease",
    "Remains",
    "configure",
    "counts",
    "disown_all",
    "entries",
    "entry_of",
    "handles",
    "install",
    "name",
    "queue",
    "table",
]

name: Final = "pure"

T = TypeVar("T")
Self = TypeVar("Self", bound="Handle[Any]")

_OPEN, _LEASED, _CLOSING, _ABANDONED, _CLOSED = State

# The arrows this module follows in its hot paths, read out of the table once.
_AFTER_CLOSE: Final = TABLE[_LEASED, Event.CLOSE].state
_AFTER_RELEASE: Final = TABLE[_CLOSING, Event.LAST_BACK].state
_AFTER_ABANDON: Final = {leased: TABLE[(_LEASED if leased else _OPEN), Event.ABANDON].state for leased in (False, True)}

_NONE: Final = (None,)
_present = partial(is_not, None)


class _Book:
    """What ever happened, counted, by ``itertools.count``: ``next`` on it is one step, where ``+= 1`` is several."""

    __slots__ = ("abandoned", "acquired", "detached", "disowned", "undone")

    def __init__(self) -> None:
        self.acquired = count(1)  # from 1, so that each number it gives is true: see _acquire
        self.undone, self.detached, self.disowned, self.abandoned = count(), count(), count(), count()


class _Settings:
    """What ``configure`` sets."""

    __slots__ = ("depth", "refuse", "sample", "strict")

    def __init__(self) -> None:
        self.depth, self.sample, self.refuse, self.strict = 3, 1, False, False


class Cell(ref[Any]):
    """What the ledger knows of one resource; a weak reference to its handle, so it keeps nobody alive."""

    __slots__ = ("closed", "kind", "leases", "since", "site", "size", "state")
    # A weak reference hashes and compares as what it refers to; a cell is itself.
    __hash__ = object.__hash__
    __eq__ = object.__eq__

    state: State
    leases: dict[int, None]
    site: Site
    kind: str
    size: int
    since: float
    closed: tuple[Any, int] | int | None


_tokens: dict[Cell, Any] = {}
_owners: dict[Any, Cell] = {}  # by token, to refuse a second owner; an aid, never the truth
_children: dict[Cell, dict[Cell, None]] = {}
_waiting: dict[Cell, threading.Event] = {}
_leases: dict[Cell, dict[int, None]] = {}  # of cells that were leased at least once
_no_leases: dict[int, None] = {}  # stands for the leases of all the others; never written
_book = _Book()
_samples = count()
_settings = _Settings()
_hooks: Hooks | None = None
_started = False
_now = 0.0


class _Queue:
    """A ``SimpleQueue``: its ``put`` is in C and re-entrant, so a finalizer may call it wherever it was run."""

    __slots__ = ("_get", "_items", "put")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._items: SimpleQueue[Any] = SimpleQueue()
        self.put = self._items.put
        self._get = self._items.get

    def get(self, timeout: float | None = None) -> Any:
        try:
            return self._get(True, timeout) if timeout != 0 else self._get(False)
        except Empty:
            return None

    def __len__(self) -> int:
        return self._items.qsize()


queue = _Queue()


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

    _cell: Cell
    _parent: Handle[Any] | None
    _release: Callable[[T], object]
    _via: tuple[Callable[[Job], object], int] | None

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
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
        cell = _prepare(self, release, kind, size, parent, via)
        _acquire(self, cell, zip((cell,), starmap(factory, (args,)), strict=False), factory, shared)

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
        cell = _prepare(self, release, kind, size, parent, via)
        _acquire(self, cell, ((cell, token),), None, shared)
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
        frame = _getframe(1)
        _close(self, (frame.f_code, frame.f_lasti), wait, timeout)

    def detach(self) -> T:
        """Give the token up without a release: the caller owns it now.

        Raises ``LeasedHandle`` while leases are out or children open, ``ClosedHandle`` if there is no token any more.
        """
        cell = self._cell
        if cell.leases:
            _refuse_leased(self, "detach")
        _forget_owner(cell)
        token = _tokens.pop(cell, None)
        if token is None:
            _refuse(self)
        frame = _getframe(1)
        cell.closed = (frame.f_code, frame.f_lasti)
        next(_book.detached)
        _end(cell, self._parent)
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
            _refuse(self)
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._cell.state is not _CLOSED:
            frame = _getframe(1)
            _close(self, (frame.f_code, frame.f_lasti), False, None)

    def __repr__(self) -> str:
        cell = getattr(self, "_cell", None)
        if cell is None:
            return f"<{type(self).__name__}, never opened>"
        return f"<{type(self).__name__} {_which(cell)}, {self.state.name.lower()}, opened at {cell.site}>"

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
        leaked = cell.state is _OPEN and cell in _tokens
        if leaked:
            cell.state = _AFTER_ABANDON[bool(cell.leases)]
            next(_book.abandoned)
        # Also when it was closing: an interrupted close may have left the token, or the lease on the parent, behind.
        queue.put(Remains(cell, self._release, self._parent, self._via, ref(self), leaked))


class Lease(Generic[T]):
    """A right to use a handle, which puts off its release. As a context manager it gives the token."""

    __slots__ = ("__weakref__", "_handle", "_key", "_leases", "_token")

    def __init__(self, handle: Handle[T]) -> None:
        cell = handle._cell
        if handle._via is not None:
            _confined(handle, "lease")
        leases = cell.leases
        if leases is _no_leases:
            leases = _first_lease(cell)
        self._handle = handle
        self._leases = leases
        self._key = key = id(self)
        # Invariant: the lease stands among the leases before the state is read, as close() does the reverse.
        leases[key] = None
        if cell.state is not _OPEN:
            self.give_back()
            _refuse(handle)
        self._token = _tokens[cell]

    @property
    def token(self) -> T:
        """The token, as long as the lease is out; ``ClosedHandle`` after."""
        if self._key not in self._leases:
            _refuse(self._handle, "this lease of ")
        return self._token  # type: ignore[no-any-return]

    def give_back(self) -> None:
        """End the lease; a second time does nothing. If the handle is closing and this was the last, release it."""
        leases = self._leases
        if leases.pop(self._key, True) is None and not leases:
            cell = self._handle._cell
            if cell.state is _CLOSING:
                _settle(cell, self._handle._release, self._handle._parent)

    def __enter__(self) -> T:
        return self._token  # type: ignore[no-any-return]

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        leases = self._leases
        if leases.pop(self._key, True) is None and not leases:
            cell = self._handle._cell
            if cell.state is _CLOSING:
                _settle(cell, self._handle._release, self._handle._parent)

    def __del__(self) -> None:
        # A lease nobody gave back: dropped, perhaps in the collector, so the release is the safety net's.
        try:
            leases = self._leases
        except AttributeError:
            return
        if leases and leases.pop(self._key, True) is None and not leases:
            handle = self._handle
            if handle._cell.state is _CLOSING:
                queue.put(Remains(handle._cell, handle._release, handle._parent, handle._via, None, False))

    def __repr__(self) -> str:
        out = "out" if self._key in self._leases else "given back"
        return f"<Lease of {_which(self._handle._cell)}, {out}>"


class Remains:
    """What is left of a handle that nobody holds: enough to report it and to release it."""

    __slots__ = ("_cell", "_parent", "_release", "_via", "_weak", "leaked")

    def __init__(
        self,
        cell: Cell,
        release: Callable[[Any], object],
        parent: Handle[Any] | None,
        via: tuple[Callable[[Job], object], int] | None,
        weak: ref[Any] | None,
        leaked: bool,
    ) -> None:
        self._cell, self._release, self._parent, self._via, self._weak = cell, release, parent, via, weak
        self.leaked = leaked  #: whether it was abandoned, rather than closed and only now let go

    @property
    def entry(self) -> Entry:
        """What the ledger says of it."""
        return _entry(self._cell, _tokens.get(self._cell))

    @property
    def via(self) -> Callable[[Job], object] | None:
        """Through whom it must be released, if it is confined."""
        return self._via and self._via[0]

    def close(self) -> None:
        """Release the token, once, unless a lease is out: the last one back does it then."""
        cell = self._cell
        failures = _close_children(cell)
        if not cell.leases:
            failures += _settled(cell, self._release, self._parent)
        if failures:
            _raise_together(failures)

    def disown(self) -> None:
        """End the ownership without a release."""
        _forget_owner(self._cell)
        if _tokens.pop(self._cell, None) is not None:
            next(_book.disowned)
        _end(self._cell, self._parent)

    def ghost(self) -> object | None:
        """The handle itself, if somebody holds it again after all."""
        return self._weak() if self._weak is not None else None


def _prepare(
    handle: Handle[Any],
    release: Callable[[Any], object],
    kind: str | None,
    size: int,
    parent: Handle[Any] | None,
    via: Callable[[Job], object] | None,
) -> Cell:
    """Everything about a handle but its token, so that nothing can fail once there is one."""
    global _started, _now
    if not _started and _hooks is not None:
        _started = _hooks.first()
    if not callable(release):
        raise TypeError(f"release must be callable, not {type(release).__name__}")
    if getattr(handle, "_cell", None) is not None:
        raise TypeError(f"{handle!r} is open already; a handle owns one token in its life.")
    cls = type(handle)
    if cls is not Handle and _hooks is not None:
        _hooks.check(release, handle)
    cell = Cell(handle)
    cell.state = _OPEN
    cell.leases = _no_leases
    cell.closed = None
    cell.size = size
    cell.kind = kind or (cls.__name__ if cls is not Handle else _name_of(release))
    sampled = _settings.sample == 1 or next(_samples) % _settings.sample == 0
    cell.site = capture(2, _settings.depth) if sampled else UNKNOWN
    now = monotonic()
    if now - _now > 0.01:  # one float object serves everything opened in the same 10 ms
        _now = now
    cell.since = _now
    handle._release = release
    handle._via = None if via is None else (via, threading.get_ident())
    handle._parent = parent
    handle._cell = cell
    if parent is not None:
        _join(cell, parent)
    return cell


def _name_of(release: Callable[..., object]) -> str:
    return getattr(release, "__name__", None) or type(release).__name__


def _acquire(handle: Handle[Any], cell: Cell, pairs: Iterable[tuple[Cell, Any]], factory: object, shared: bool) -> None:
    """Take the token into the ledger, or leave nothing behind."""
    try:
        # The factory is called in here: acquired, recorded and counted, with no bytecode in between.
        _tokens.update(compress(pairs, _book.acquired))
        token = _tokens[cell]
        if token is None:
            raise NoToken(factory=_named(factory), site=cell.site)
        if not shared:
            _claim(cell, token, handle)
    except BaseException as error:
        _undo(handle, cell, error)
        raise


def _undo(handle: Handle[Any], cell: Cell, error: BaseException) -> None:
    """A constructor failed: release what it had got, unless it is no token or somebody else's."""
    cell.state = _AFTER_CLOSE
    if isinstance(error, NoToken | AlreadyOwned):
        _tokens.pop(cell, None)
        next(_book.undone)
    _settle(cell, handle._release, handle._parent)


def _claim(cell: Cell, token: Any, handle: Handle[Any]) -> None:
    """Refuse a second owner that would release the same token in the same way."""
    try:
        other = _owners.setdefault(token, cell)
    except TypeError:  # an unhashable token: nothing to look it up by
        return
    if other is not cell:
        owner = other()
        if owner is not None and other in _tokens and owner._release == handle._release:
            raise AlreadyOwned(which=_which(cell), opened=other.site, site=cell.site)


def _forget_owner(cell: Cell) -> None:
    try:
        token = _tokens.get(cell)
        if _owners.get(token) is cell:
            del _owners[token]
    except (TypeError, KeyError):
        pass


def _close(handle: Handle[Any], place: tuple[Any, int], wait: bool, timeout: float | None) -> None:
    """``Handle.close``, remembering ``place`` as the line that closed it."""
    cell = handle._cell
    if handle._via is not None:
        _confined(handle, "close")
    state = cell.state
    if state is _CLOSED or (state is _CLOSING and _settings.strict):
        return _again(handle)
    if _settings.refuse and len(cell.leases) > len(_children.get(cell, ())):
        _refuse_leased(handle)
    if state is not _CLOSING:
        cell.closed = place
        # Invariant: the state is written before the leases are counted, as Lease does the reverse.
        cell.state = _AFTER_CLOSE
    failures = _close_children(cell) if _children else ()
    if not cell.leases:
        failures += _settled(cell, handle._release, handle._parent)
    elif wait:
        _await(handle, timeout)
    if failures:
        _raise_together(failures)
    return None


def _settle(cell: Cell, release: Callable[[Any], object], parent: Handle[Any] | None) -> None:
    """Release the token, unless somebody has; whoever pops it out of ``_tokens`` is the one who releases it."""
    _forget_owner(cell)  # before the release: the library may give the same token out again at once
    try:
        deque(map(release, filter(_present, map(_tokens.pop, (cell,), _NONE))), 0)
    finally:
        _end(cell, parent)


def _end(cell: Cell, parent: Handle[Any] | None) -> None:
    """CLOSED: leave the parent, wake who waits, drop the books. Doing it twice is the same as once."""
    cell.state = _AFTER_RELEASE
    if parent is not None:
        _leave(cell, parent)
    if _leases:
        _leases.pop(cell, None)
    if _children:
        _children.pop(cell, None)
    if _waiting and (event := _waiting.pop(cell, None)) is not None:
        event.set()


def _settled(cell: Cell, release: Callable[[Any], object], parent: Handle[Any] | None) -> tuple[BaseException, ...]:
    """``_settle``, with what the release raised as the answer."""
    try:
        _settle(cell, release, parent)
    except BaseException as error:
        return (error,)
    return ()


def _first_lease(cell: Cell) -> dict[int, None]:
    # Invariant: two threads that come here at once get the same dict, as setdefault is one step.
    leases = cell.leases = _leases.setdefault(cell, {})
    return leases


def _join(cell: Cell, parent: Handle[Any]) -> None:
    """Become a child: one lease on the parent, and a line among its children."""
    above = parent._cell
    leases = above.leases
    if leases is _no_leases:
        leases = _first_lease(above)
    leases[id(cell)] = None
    _children.setdefault(above, {})[cell] = None
    if above.state is not _OPEN:
        _leave(cell, parent)
        _refuse(parent)


def _leave(cell: Cell, parent: Handle[Any] | None) -> None:
    """Stop being a child; the last one to leave a closing parent releases it."""
    if parent is None:
        return
    above = parent._cell
    _children.get(above, {}).pop(cell, None)
    if above.leases.pop(id(cell), True) is None and not above.leases and above.state is _CLOSING:
        _settle(above, parent._release, parent._parent)


def _close_children(cell: Cell) -> tuple[BaseException, ...]:
    """Close what is open below, newest first; what their releases raised is the answer."""
    failures: list[BaseException] = []
    for child in reversed(list(_children.get(cell, ()))):
        handle = child()
        if handle is not None and child.state is not _CLOSED:
            try:
                handle.close()
            except BaseException as error:
                failures.append(error)
    return tuple(failures)


def _raise_together(failures: tuple[BaseException, ...]) -> NoReturn:
    """One failure as itself, several as a group."""
    if len(failures) == 1:
        raise failures[0]
    raise BaseExceptionGroup("several releases failed", failures)


def _await(handle: Handle[Any], timeout: float | None) -> None:
    """Until the last lease is back and the token released."""
    cell = handle._cell
    event = _waiting.setdefault(cell, threading.Event())
    if cell.state is _CLOSED or event.wait(timeout):
        return
    raise CloseTimeout(which=_which(cell), opened=cell.site, leases=len(cell.leases), timeout=timeout)


def _again(handle: Handle[Any]) -> None:
    """A second close."""
    if _settings.strict:
        cell = handle._cell
        raise AlreadyClosed(which=_which(cell), opened=cell.site, closed=_closed_at(cell))


def _refuse(handle: Handle[Any], prefix: str = "") -> NoReturn:
    cell = handle._cell
    if type(cell.closed) is int:
        raise DisownedHandle(which=_which(cell), opened=cell.site, owner=cell.closed)
    raise ClosedHandle(which=prefix + _which(cell), opened=cell.site, closed=_closed_at(cell))


def _refuse_leased(handle: Handle[Any], act: str = "close") -> NoReturn:
    cell = handle._cell
    raise LeasedHandle(which=_which(cell), opened=cell.site, leases=len(cell.leases), act=act)


def _confined(handle: Handle[Any], act: str) -> None:
    assert handle._via is not None
    home, here = handle._via[1], threading.get_ident()
    if home != here:
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        raise WrongThread(
            which=_which(handle._cell),
            opened=handle._cell.site,
            owner=names.get(home, home),
            thread=names.get(here, here),
            act=act,
        )


def _closed_at(cell: Cell) -> str:
    if type(cell.closed) is tuple:
        code, offset = cell.closed
        return f"{code.co_filename}:{line_of(code, offset)} in {code.co_name}"
    return "the moment nobody held it any more"


def _address(token: Any) -> int:
    return token if type(token) is int else id(token)


def _which(cell: Cell) -> str:
    token = _tokens.get(cell)
    return f"{cell.kind} handle" + ("" if token is None else f" {_address(token):#x}")


def _named(factory: object) -> str:
    return getattr(factory, "__qualname__", None) or getattr(factory, "__name__", None) or repr(factory)


def _entry(cell: Cell, token: Any) -> Entry:
    leases = len(cell.leases)
    state = _LEASED if cell.state is _OPEN and leases else cell.state
    return Entry(cell.kind, _address(token), cell.size, cell.since, cell.site, state, leases)


def table() -> dict[tuple[int, int], tuple[int, int]]:
    """The lifecycle as plain numbers."""
    return {(int(at), int(event)): (int(to), int(effect)) for (at, event), (to, effect) in TABLE.items()}


def install(hooks: Hooks) -> None:
    """Whom the slow paths ask."""
    global _hooks
    _hooks = hooks


def configure(*, depth: int, sample: int, refuse: bool, strict: bool) -> None:
    """Frames kept for a site; keep every n-th; refuse to close under a lease; a second close is an error."""
    _settings.depth, _settings.sample, _settings.refuse, _settings.strict = depth, sample, refuse, strict


def entries() -> list[Entry]:
    """Everything that is open now, oldest first."""
    return [_entry(cell, token) for cell, token in _tokens.copy().items()]


def handles() -> list[Handle[Any]]:
    """The handles that are open and held by somebody, oldest first."""
    return [handle for cell in _tokens.copy() if (handle := cell()) is not None]


def entry_of(handle: Handle[Any]) -> Entry:
    """The line of one handle, closed or not."""
    return _entry(handle._cell, _tokens.get(handle._cell))


def _so_far(counter: count[int]) -> int:
    return int(repr(counter)[6:-1])


def counts() -> Counts:
    """The books, as they stand."""
    now = _tokens.copy()
    opened = _so_far(_book.acquired) - 1 - _so_far(_book.undone)
    detached, disowned, abandoned = map(_so_far, (_book.detached, _book.disowned, _book.abandoned))
    closed = opened - detached - disowned - len(now)
    return Counts(opened, closed, detached, disowned, abandoned, len(now), sum(cell.size for cell in now))


def disown_all() -> None:
    """After fork, in the child: nothing that was open is this process's. Clears queue and counts."""
    global _started
    owner = os.getppid()
    for cell in _tokens:
        cell.state = _CLOSED
        cell.closed = owner
    for book in (_tokens, _owners, _children, _leases, _waiting):
        book.clear()
    _book.__init__()  # type: ignore[misc]
    queue.clear()
    _started = False
