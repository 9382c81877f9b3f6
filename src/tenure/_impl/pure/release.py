"""How a resource ends: its children first, its token once, by whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from tenure._impl.pure import refuse
from tenure._impl.pure.books import Mark, children, going, ledger, lost, settings, waiting
from tenure._impl.pure.life import Life
from tenure.errors import CloseTimeout
from tenure.lifecycle import TABLE, Event, State

if TYPE_CHECKING:
    from tenure._impl.pure.handle import Handle

__all__ = ["close", "close_below", "end", "last_back", "leave", "place_of", "settle", "strike"]

# The arrows followed here, read out of the table once.
_AFTER_CLOSE: Final = TABLE[State.LEASED, Event.CLOSE].state
_AFTER_RELEASE: Final = TABLE[State.CLOSING, Event.LAST_BACK].state
_OPEN: Final = State.OPEN
_CLOSING: Final = State.CLOSING
_ABANDONED: Final = State.ABANDONED
_CLOSED: Final = State.CLOSED


def place_of(frame: Any, life: Life) -> tuple[Any, int, int]:
    """Where a handle is closed, and the address it had."""
    return frame.f_code, frame.f_lasti, life._address or 0


def close(handle: Handle[Any], frame: Any, wait: bool, timeout: float | None) -> None:
    """``Handle.close``, called in ``frame``."""
    try:
        state = handle._state
    except AttributeError:
        refuse.unopened(handle)
    if state is _OPEN and handle._extra is None and not handle._leases:  # as most are: the rest, without what it asks
        handle._closed = place_of(frame, handle)
        handle._state = _AFTER_CLOSE
        if not handle._leases:
            settle(handle)
            return _await(handle, timeout) if wait else None
    elif not _take_close(handle, frame):
        return None
    failures = close_below(handle._mark, frame) if children else ()
    if not handle._leases:
        failures += _settled(handle)
    if wait:
        _await(handle, timeout)
    if failures:
        refuse.together(failures)
    return None


def _take_close(handle: Handle[Any], frame: Any) -> bool:
    """Take the arrow of a close; whether there is anything left to do."""
    extra = handle._extra
    if extra is not None:
        refuse.check_thread(handle, extra, "close")
    state = handle._state
    if state is _CLOSED or (state is _CLOSING and settings.strict):
        refuse.again(handle)
        return False
    if settings.refuse and len(handle._leases) > len(children.get(handle._mark, ())):
        refuse.leased(handle, "close")
    if state is not _CLOSING:
        handle._closed = place_of(frame, handle)
        # Invariant: the state is written before the leases are counted, as lease() does the reverse.
        handle._state = _AFTER_CLOSE
    return True


def settle(life: Life) -> None:
    """Release the token, unless somebody has; whoever takes it out of its box is the one who releases it.

    Then that of its parent, if it was the last child out of a closing one, and so on up: one after the other and not
    one inside the other, as a family may be deeper than the stack.
    """
    failure: BaseException | None = None
    at: Life | None = life
    me = threading.get_ident()
    while at is not None:
        life, at = at, None
        box = life._box
        try:
            try:
                token = box[0]
                strike(life._mark, token)  # before the release: the library may give the same token out again at once
                del box[0]
            except IndexError:  # another thread was faster
                pass
            else:
                # Invariant: no call stands between ``del`` and the release. The interpreter looks for signals after a
                # call, at a backward jump and at a function's start, so none can fall in between and lose the token.
                try:
                    going[life._mark] = me
                except MemoryError:  # then nobody waits for it
                    pass
                try:
                    life._release(token)
                finally:
                    going.pop(life._mark, None)
        except BaseException as error:
            failure = _after(failure, error)
        finally:
            # With a token still in the box an interrupt came first, and the next to come releases it; while another
            # thread is at it, that one goes on from here.
            if not box and life._mark not in going:
                at = _part(life)
    if failure is not None:
        raise failure


def _after(older: BaseException | None, newer: BaseException) -> BaseException:
    """The newer, with the older as its context."""
    if older is not None and older is not newer:
        newer.__context__ = older
    return newer


def _settled(life: Life) -> tuple[BaseException, ...]:
    """``settle``, with what the release raised as the answer."""
    try:
        settle(life)
    except BaseException as error:
        return (error,)
    return ()


def strike(mark: Mark, token: Any) -> None:
    """Out of the ledger; under its token only if it stands there itself."""
    try:
        if ledger.get(token) is mark:
            del ledger[token]
            return
    except (KeyError, TypeError):  # struck by another thread, unhashable
        pass
    ledger.pop(mark, None)


def last_back(life: Life) -> None:
    """Nobody has a lease any more, and it is not open: release it, unless the safety net will.

    Also where it is closed with a token: a close that met that in the hands of a refused ``detach`` ended without it.
    Closed without one, it is over, or about to be opened.
    """
    if life._state is not _ABANDONED and (life._state is not _CLOSED or life._box):
        settle(life)


def end(life: Life) -> None:
    """CLOSED, without a release of its own; its parent is settled, if this was the last child out of a closing one."""
    above = _part(life)
    if above is not None:
        settle(above)


def _part(life: Life) -> Life | None:
    """CLOSED: leave the parent, drop the books, wake who waits. Doing it twice is the same as once.

    The parent is the answer, if this was the last child out of a closing one and it is to be settled now.
    """
    mark, extra = life._mark, life._extra
    above = None
    try:
        if extra is not None and extra.parent is not None:
            above = leave(life, extra.parent)
    finally:
        if children:
            children.pop(mark, None)
        if lost:
            lost.pop(mark, None)
        life._state = _AFTER_RELEASE  # late, so that an interrupt before it leaves a state from which it is done again
        if waiting and (event := waiting.pop(mark, None)) is not None:
            event.set()
    return above


def leave(life: Life, parent: Life) -> Life | None:
    """Stop being a child; the answer is ``parent``, if this was the last one to leave it and it is closing."""
    children.get(parent._mark, {}).pop(life._mark, None)
    leases = parent._leases
    was_child = leases.pop(life._mark, life) is None
    return parent if was_child and not leases and parent._state not in (_OPEN, _ABANDONED) else None


def close_below(mark: Mark, frame: Any) -> tuple[BaseException, ...]:
    """Close what is open below, newest first; what their releases raised is the answer."""
    failures: list[BaseException] = []
    below = list(children.get(mark, ()))  # a stack of our own, as a family may be deeper than Python's
    while below:
        handle = below.pop()()
        if handle is None or handle._state is _CLOSED:
            continue
        try:
            below += _close_child(handle, frame)
        except BaseException as error:
            failures.append(error)
    return tuple(failures)


def _close_child(handle: Handle[Any], frame: Any) -> Iterable[Mark]:
    """Close it, except for its own children, which are the answer."""
    if not handle._plain and handle.close != handle._plain_close:
        handle.close()  # as a subclass wrote it
    elif _take_close(handle, frame):
        if handle._leases:
            return children.get(handle._mark, ())
        settle(handle)
    return ()


def _await(life: Life, timeout: float | None) -> None:
    """Until the last lease is back and the token released, unless it is this thread that releases it."""
    if going.get(life._mark) == threading.get_ident():
        return
    event = waiting.setdefault(life._mark, threading.Event())
    if life._state is _CLOSED:
        event.set()  # somebody else may wait at it
        waiting.pop(life._mark, None)
    elif not event.wait(timeout):
        raise CloseTimeout(which=life._which, opened=life._site, leases=len(life._leases), timeout=timeout)
