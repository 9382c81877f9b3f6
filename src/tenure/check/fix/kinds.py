"""Which kinds of resources a fix may close, and how: by ``with`` where that only closes, by ``finally``, or never."""

from __future__ import annotations

from typing import Final

from tenure.check.finding import Facts

__all__ = ["by_finally", "by_with", "closes_once", "needs_async"]

#: ``with`` does to these what ``close()`` does, and no more. A process or an executor is not here: leaving its block
#: waits, and a fix must not make a program wait that did not.
_WITH: Final = frozenset(
    {
        "archive",
        "database",
        "directory scan",
        "file",
        "handle",
        "HTTP response",
        "image",
        "memory map",
        "selector",
        "socket",
        "temporary directory",
        "temporary file",
    }
)

#: Sessions whose class is a context manager, and whether it is an asynchronous one.
_SESSIONS: Final = {"Session": False, "session": False, "Client": False, "ClientSession": True, "AsyncClient": True}

#: What is closed in a ``finally``, by the code that the finding says closes it.
_FINALLY: Final = frozenset({"database connection", "descriptor", "event loop", "resource"})


def by_with(facts: Facts, callee: str) -> bool:
    """Whether a ``with`` block closes it and does nothing else."""
    if facts.kind == "HTTP session":
        return callee in _SESSIONS
    return facts.managed and facts.kind in _WITH


def needs_async(facts: Facts, callee: str) -> bool:
    """Whether the block has to be an ``async with``."""
    return facts.kind == "HTTP session" and _SESSIONS.get(callee, False)


def by_finally(facts: Facts) -> bool:
    """Whether closing it in a ``finally`` is all there is to it."""
    return bool(facts.close) and (facts.kind in _FINALLY or facts.kind in _WITH)


def closes_once(facts: Facts) -> bool:
    """Whether a second close is an error, or closes what somebody else has opened since."""
    return facts.kind == "descriptor"
