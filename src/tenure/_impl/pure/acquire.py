"""How a handle comes to own its token: all that can fail is done before, and what fails after is undone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from itertools import compress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from tenure._impl.contract import Hooks, Job
from tenure._impl.pure import refuse
from tenure._impl.pure.books import NO_LEASES, Cell, book, children, leases_of, owners, settings, tokens, which
from tenure._impl.pure.release import leave, settle
from tenure._impl.site import UNKNOWN, capture
from tenure.errors import AlreadyOwned, NoToken
from tenure.lifecycle import TABLE, Event, State

if TYPE_CHECKING:
    from tenure._impl.pure.handle import Handle

__all__ = ["acquire", "install", "prepare", "reset"]

_CLOSING: Final = TABLE[State.LEASED, Event.CLOSE].state
_OPEN: Final = State.OPEN

_hooks: Hooks | None = None
_hooked = False
_now = 0.0


def install(hooks: Hooks) -> None:
    """Whom the slow paths ask."""
    global _hooks, _hooked
    _hooks, _hooked = hooks, False


def reset() -> None:
    """After fork: the next registration is the first."""
    global _hooked
    _hooked = False


def prepare(
    handle: Handle[Any],
    release: Callable[[Any], object],
    kind: str | None,
    size: int,
    parent: Handle[Any] | None,
    via: Callable[[Job], object] | None,
) -> Cell:
    """Everything about a handle but its token, so that nothing is left to fail once there is one."""
    global _hooked, _now
    if not _hooked and _hooks is not None:
        _hooked = _hooks.first()
    if not callable(release):
        raise TypeError(f"release must be callable, not {type(release).__name__}")
    if not handle._plain:
        _check_subclass(handle, release)
    cell = Cell(handle)
    cell.state = _OPEN
    cell.leases = NO_LEASES
    cell.closed = None
    cell.size = size
    cell.kind = kind or (_name_of(release) if handle._plain else type(handle).__name__)
    sampled = settings.sample == 1 or next(book.samples) % settings.sample == 0
    cell.site = capture(2, settings.depth) if sampled else UNKNOWN
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


def acquire(handle: Handle[Any], pairs: Iterable[tuple[Cell, Any]], factory: object, shared: bool) -> None:
    """Take the token into the ledger, or leave nothing behind."""
    cell = handle._cell
    try:
        # The factory is called in here: acquired, recorded and counted, with no bytecode in between.
        tokens.update(compress(pairs, book.acquired))
        token = tokens[cell]
        if token is None:
            raise NoToken(factory=_name_of(factory), site=cell.site)
        if not shared:
            _claim(cell, token, handle)
    except BaseException as error:
        _undo(handle, error)
        raise


def _check_subclass(handle: Handle[Any], release: Callable[[Any], object]) -> None:
    """What only a subclass can get wrong: a release that reaches the handle, a second ``__init__``."""
    if getattr(handle, "_cell", None) is not None:
        raise TypeError(f"{handle!r} is open already; a handle owns one token in its life.")
    if _hooks is not None:
        _hooks.check(release, handle)


def _name_of(function: object) -> str:
    return getattr(function, "__name__", None) or type(function).__name__


def _undo(handle: Handle[Any], error: BaseException) -> None:
    """A constructor failed: release what it had got, unless it is no token or somebody else's."""
    cell = handle._cell
    cell.state = _CLOSING
    if isinstance(error, NoToken | AlreadyOwned) and tokens.pop(cell, handle) is not handle:
        next(book.undone)
    settle(cell, handle._release, handle._parent)


def _claim(cell: Cell, token: Any, handle: Handle[Any]) -> None:
    """Refuse a second owner that would release the same token in the same way."""
    try:
        other = owners.setdefault(token, cell)
    except TypeError:  # an unhashable token: nothing to look it up by
        return
    if other is cell or other not in tokens:
        return
    owner = other()
    same = other.kind == cell.kind if owner is None else owner._release == handle._release
    if same:
        raise AlreadyOwned(which=which(cell), opened=other.site, site=cell.site)


def _join(cell: Cell, parent: Handle[Any]) -> None:
    """Become a child: one lease on the parent, and a line among its children."""
    above = parent._cell
    leases = above.leases
    if leases is NO_LEASES:
        leases = leases_of(above)
    leases[id(cell)] = None
    children.setdefault(above, {})[cell] = None
    if above.state is not _OPEN:
        leave(cell, parent)
        refuse.closed(above)
