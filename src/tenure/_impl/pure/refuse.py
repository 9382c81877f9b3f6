"""What is not allowed is said here: each error with its facts."""

from __future__ import annotations

import threading
from typing import NoReturn

from tenure._impl.pure.books import settings
from tenure._impl.pure.life import Extra, Life
from tenure._impl.site import line_of
from tenure.errors import AlreadyClosed, ClosedHandle, DisownedHandle, LeasedHandle, WrongThread

__all__ = ["again", "check_thread", "closed", "leased", "together", "twice", "unopened"]


def unopened(life: object) -> NoReturn:
    """It was used, and a subclass had never opened it."""
    raise AttributeError(
        f"this {type(life).__name__} was never opened: call super().__init__(factory, release=...)"
    ) from None


def twice(handle: object) -> NoReturn:
    """It is to be opened, and is open."""
    raise TypeError(f"{handle!r} is open already; a handle owns one token in its life.")


def closed(life: Life, prefix: str = "") -> NoReturn:
    """It was used after its end."""
    if type(life._closed) is int:
        raise DisownedHandle(which=life._which, opened=life._site, owner=life._closed)
    raise ClosedHandle(which=prefix + life._which, opened=life._site, closed=_closed_at(life))


def again(life: Life) -> None:
    """It was closed a second time."""
    if settings.strict:
        raise AlreadyClosed(which=life._which, opened=life._site, closed=_closed_at(life))


def leased(life: Life, act: str) -> NoReturn:
    """Somebody uses it."""
    raise LeasedHandle(which=life._which, opened=life._site, leases=len(life._leases), act=act)


def check_thread(life: Life, extra: Extra, act: str) -> None:
    """Refuse what does not happen on the thread it is confined to."""
    home, here = extra.home, threading.get_ident()
    if extra.via is None or home == here:
        return
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    owner, thread = names.get(home, home), names.get(here, here)
    raise WrongThread(which=life._which, opened=life._site, owner=owner, thread=thread, act=act)


def together(failures: tuple[BaseException, ...]) -> None:
    """Raise what several releases raised: one error as itself, several as a group."""
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise BaseExceptionGroup("several releases failed", failures)


def _closed_at(life: Life) -> str:
    if type(life._closed) is not tuple:
        return "the moment nobody held it any more"
    code, offset, _ = life._closed
    return f"{code.co_filename}:{line_of(code, offset)} in {code.co_name}"
