"""How a handle comes to own its token: all that can fail is done before, and what fails after is undone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from sys import _getframe
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from tenure._impl.contract import Hooks, Job
from tenure._impl.pure import refuse
from tenure._impl.pure.books import NO_LEASES, Mark, book, children, ledger, lost, settings
from tenure._impl.pure.life import Extra, Life, name_of
from tenure._impl.pure.release import leave, settle
from tenure._impl.site import UNKNOWN, capture, outside
from tenure.errors import AlreadyOwned, NoToken
from tenure.lifecycle import TABLE, Event, State

if TYPE_CHECKING:
    from tenure._impl.pure.handle import Handle

__all__ = ["install", "prepare", "record", "reset", "undo"]

_OPEN: Final = State.OPEN
_CLOSED: Final = State.CLOSED
_CLOSING: Final = TABLE[State.LEASED, Event.CLOSE].state

_hooks: Hooks | None = None
_hooked = False
_now = 0.0


def install(hooks: Hooks) -> None:
    """Whom the slow paths ask."""
    global _hooks
    _hooks = hooks
    reset()


def reset() -> None:
    """The next registration is the first of this process."""
    global _hooked
    _hooked = False


def prepare(
    handle: Handle[Any],
    release: Callable[[Any], object],
    kind: str | None,
    size: int,
    parent: Handle[Any] | None,
    via: Callable[[Job], object] | None,
) -> None:
    """Everything about a handle but its token, so that nothing is left to fail once there is one."""
    global _hooked, _now
    if not _hooked and _hooks is not None:
        _hooked = _hooks.first()
    if not callable(release):
        raise TypeError(f"release must be callable, not {type(release).__name__}")
    frame: FrameType | None = _getframe(2)
    if not handle._plain:
        _check_subclass(handle, release)
        kind = kind or type(handle).__name__
        frame = outside(frame)
    handle._release = release
    handle._leases = NO_LEASES
    handle._closed = None
    if kind or size or parent is not None or via is not None:  # either may be an object that is falsy
        handle._extra = _extra(kind, size, parent, via)
    else:
        handle._extra = None
    sampled = settings.sample == 1 or next(book.samples) % settings.sample == 0
    handle._site = capture(frame, settings.depth) if sampled else UNKNOWN
    now = monotonic()
    if now - _now > 0.01:  # one float object serves everything opened in the same 10 ms
        _now = now
    handle._since = _now
    handle._box = []
    handle._mark = Mark(handle)
    handle._state = _CLOSED  # until there is a token; a parent that closes meanwhile waits for it as for a lease
    if parent is not None:
        _join(handle, parent)


def _extra(kind: str | None, size: int, parent: Handle[Any] | None, via: Callable[[Job], object] | None) -> Extra:
    """What few handles have, if it is what it should be."""
    if kind is not None and not isinstance(kind, str):
        raise TypeError(f"kind must be a str, not {type(kind).__name__}")
    if not isinstance(size, int):
        raise TypeError(f"size must be an int, not {type(size).__name__}")
    if size < 0:
        raise ValueError(f"size must be 0 bytes or more, not {size}")
    if parent is not None and not isinstance(parent, Life):
        raise TypeError(f"parent must be a handle, not {type(parent).__name__}")
    if parent is not None and not hasattr(parent, "_mark"):
        refuse.unopened(parent)
    if via is not None and not callable(via):
        raise TypeError(f"via must be callable, not {type(via).__name__}")
    return Extra(kind, size, parent, via, threading.get_ident())


def record(handle: Handle[Any], factory: object, shared: bool) -> None:
    """Write an acquired token into the ledger, and be open.

    The count comes first, so that the books balance whatever interrupts; the state last, as what is open can be closed
    by whoever closes its parent, and must find all it takes back.
    """
    next(book.opened)
    token, mark = handle._box[0], handle._mark
    if token is None:
        raise NoToken(factory=name_of(factory), site=handle._site)
    try:
        other = mark if shared else ledger.setdefault(token, mark)
    except TypeError:  # unhashable: it stands under its mark, and a second owner cannot be noticed
        other = None
    if other is not mark or shared:
        if other is not None and not shared and _same(handle, other):
            raise AlreadyOwned(which=handle._which, opened=_opened(other), site=handle._site)
        ledger[mark] = mark
    handle._state = _OPEN


def undo(handle: Handle[Any], error: BaseException) -> None:
    """A constructor failed: release what it had got, unless it is no token or somebody else's."""
    handle._state = _CLOSING
    if isinstance(error, NoToken | AlreadyOwned) and handle._box:
        handle._box.clear()
        next(book.undone)
    settle(handle)


def _same(handle: Handle[Any], other: Any) -> bool:
    """Whether another owner of the same token would release it in the same way."""
    owner = other() or lost.get(other)
    return owner is not None and bool(owner._box) and owner._release == handle._release


def _opened(other: Any) -> object:
    owner = other() or lost.get(other)
    return UNKNOWN if owner is None else owner._site


def _check_subclass(handle: Handle[Any], release: Callable[[Any], object]) -> None:
    """What only a subclass can get wrong: a second ``__init__``, a release that reaches the handle."""
    if hasattr(handle, "_mark"):
        refuse.twice(handle)
    if _hooks is not None:
        _hooks.check(release, handle)


def _join(handle: Handle[Any], parent: Handle[Any]) -> None:
    """Become a child: one lease on the parent, and a line among its children."""
    leases = parent._leases
    if leases is NO_LEASES:
        leases = parent._own_leases()
    leases[handle._mark] = None
    children.setdefault(parent._mark, {})[handle._mark] = None
    if parent._state is not _OPEN:
        if leave(handle, parent) is not None:
            settle(parent)
        refuse.closed(parent)
