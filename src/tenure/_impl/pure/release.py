"""How a resource ends: its children first, its token once, by whoever comes first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from operator import is_not
from typing import TYPE_CHECKING, Any, Final

from tenure._impl.pure import refuse
from tenure._impl.pure.books import Cell, address_of, children, leases_table, owners, settings, tokens, waiting, which
from tenure.errors import CloseTimeout
from tenure.lifecycle import TABLE, Event, State

if TYPE_CHECKING:
    from tenure._impl.pure.handle import Handle

__all__ = ["close", "close_children", "end", "forget_owner", "leave", "place_of", "settle", "settled"]

# The arrows followed here, read out of the table once.
_AFTER_CLOSE: Final = TABLE[State.LEASED, Event.CLOSE].state
_AFTER_RELEASE: Final = TABLE[State.CLOSING, Event.LAST_BACK].state
_CLOSING: Final = State.CLOSING
_CLOSED: Final = State.CLOSED

_NONE: Final = (None,)
_present: Final = partial(is_not, None)

Release = Callable[[Any], object]


def place_of(frame: Any, cell: Cell) -> tuple[Any, int, int]:
    """Where a handle is closed, and the address it had."""
    return frame.f_code, frame.f_lasti, address_of(tokens.get(cell))


def close(handle: Handle[Any], frame: Any, wait: bool, timeout: float | None) -> None:
    """``Handle.close``, called in ``frame``."""
    cell = handle._cell
    if handle._via is not None:
        refuse.check_thread(handle, handle._via[1], "close")
    state = cell.state
    if state is _CLOSED or (state is _CLOSING and settings.strict):
        return refuse.again(cell)
    if settings.refuse and len(cell.leases) > len(children.get(cell, ())):
        refuse.leased(cell, "close")
    if state is not _CLOSING:
        cell.closed = place_of(frame, cell)
        # Invariant: the state is written before the leases are counted, as Lease does the reverse.
        cell.state = _AFTER_CLOSE
    failures = close_children(cell) if children else ()
    if not cell.leases:
        failures += settled(cell, handle._release, handle._parent)
    elif wait:
        _await(cell, timeout)
    if failures:
        refuse.together(failures)
    return None


def settle(cell: Cell, release: Release, parent: Handle[Any] | None) -> None:
    """Release the token, unless somebody has; whoever pops it out of ``tokens`` is the one who releases it."""
    forget_owner(cell)  # before the release: the library may give the same token out again at once
    try:
        deque(map(release, filter(_present, map(tokens.pop, (cell,), _NONE))), 0)
    finally:
        end(cell, parent)


def settled(cell: Cell, release: Release, parent: Handle[Any] | None) -> tuple[BaseException, ...]:
    """``settle``, with what the release raised as the answer."""
    try:
        settle(cell, release, parent)
    except BaseException as error:
        return (error,)
    return ()


def end(cell: Cell, parent: Handle[Any] | None) -> None:
    """CLOSED: leave the parent, drop the books, wake who waits. Doing it twice is the same as once."""
    try:
        if parent is not None:
            leave(cell, parent)
    finally:
        if leases_table:
            leases_table.pop(cell, None)
        if children:
            children.pop(cell, None)
        cell.state = _AFTER_RELEASE  # last, so that an interrupt before it leaves a state from which it is done again
        if waiting and (event := waiting.pop(cell, None)) is not None:
            event.set()


def leave(cell: Cell, parent: Handle[Any]) -> None:
    """Stop being a child; the last one to leave a closing parent releases it."""
    above = parent._cell
    children.get(above, {}).pop(cell, None)
    if above.leases.pop(id(cell), True) is None and not above.leases and above.state is _CLOSING:
        settle(above, parent._release, parent._parent)


def close_children(cell: Cell) -> tuple[BaseException, ...]:
    """Close what is open below, newest first; what their releases raised is the answer."""
    failures: list[BaseException] = []
    for child in reversed(list(children.get(cell, ()))):
        handle = child()
        if handle is not None and child.state is not _CLOSED:
            try:
                handle.close()
            except BaseException as error:
                failures.append(error)
    return tuple(failures)


def forget_owner(cell: Cell) -> None:
    """The token may be owned anew."""
    try:
        token = tokens.get(cell)
        if owners.get(token) is cell:
            del owners[token]
    except (TypeError, KeyError):  # unhashable, or another thread was faster
        pass


def _await(cell: Cell, timeout: float | None) -> None:
    """Until the last lease is back and the token released."""
    event = waiting.setdefault(cell, threading.Event())
    if cell.state is _CLOSED or event.wait(timeout):
        return
    raise CloseTimeout(which=which(cell), opened=cell.site, leases=len(cell.leases), timeout=timeout)
