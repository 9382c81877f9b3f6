"""What is not allowed is said here: each error with its facts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NoReturn

from tenure._impl.pure.books import Cell, settings, which
from tenure._impl.site import line_of
from tenure.errors import AlreadyClosed, ClosedHandle, DisownedHandle, LeasedHandle, WrongThread

if TYPE_CHECKING:
    from tenure._impl.pure.handle import Handle

__all__ = ["again", "check_thread", "closed", "leased", "together"]


def closed(cell: Cell, prefix: str = "") -> NoReturn:
    """It was used after its end."""
    if type(cell.closed) is int:
        raise DisownedHandle(which=which(cell), opened=cell.site, owner=cell.closed)
    raise ClosedHandle(which=prefix + which(cell), opened=cell.site, closed=_closed_at(cell))


def again(cell: Cell) -> None:
    """It was closed a second time."""
    if settings.strict:
        raise AlreadyClosed(which=which(cell), opened=cell.site, closed=_closed_at(cell))


def leased(cell: Cell, act: str) -> NoReturn:
    """Somebody uses it."""
    raise LeasedHandle(which=which(cell), opened=cell.site, leases=len(cell.leases), act=act)


def check_thread(handle: Handle[Any], home: int, act: str) -> None:
    """Refuse what does not happen on the thread ``home``, to which ``handle`` is confined."""
    here = threading.get_ident()
    if home == here:
        return
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    cell = handle._cell
    owner, thread = names.get(home, home), names.get(here, here)
    raise WrongThread(which=which(cell), opened=cell.site, owner=owner, thread=thread, act=act)


def together(failures: tuple[BaseException, ...]) -> None:
    """Raise what several releases raised: one error as itself, several as a group."""
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise BaseExceptionGroup("several releases failed", failures)


def _closed_at(cell: Cell) -> str:
    if type(cell.closed) is not tuple:
        return "the moment nobody held it any more"
    code, offset, _ = cell.closed
    return f"{code.co_filename}:{line_of(code, offset)} in {code.co_name}"
