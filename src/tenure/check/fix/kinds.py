"""Which kinds of resources a fix may close, and how: by ``with`` where that only closes, by ``finally``, or never."""

from __future__ import annotations

from typing import Final

from tenure.check.finding import Facts

__all__ = [
    "by_finally",
    "by_with",
    "closes",
    "closes_once",
    "ends_politely",
    "may_guard",
    "needs_async",
    "siblings_matter",
]

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

#: Connections whose ``with`` says goodbye to the server first: right where the function does so itself.
_POLITE: Final = frozenset({"SMTP", "SMTP_SSL", "LMTP", "FTP", "FTP_TLS"})

#: What is closed in a ``finally``, by the code that the finding says closes it.
_FINALLY: Final = frozenset({"database connection", "descriptor", "event loop", "network stream", "resource"})

#: Calls whose results belong together: closing one ends the use of the other.
_PAIRS: Final = frozenset({"Pipe", "open_connection", "open_unix_connection", "openpty", "pipe", "pipe2", "socketpair"})


#: ``fileinput.input()`` is the state of its whole module, which is asked about after the loop.
_SHARED: Final = frozenset({"input"})


def by_with(facts: Facts, callee: str) -> bool:
    """Whether a ``with`` block closes it and does nothing else."""
    if callee in _SHARED:
        return False
    if facts.kind == "HTTP session":
        return callee in _SESSIONS
    return facts.managed and (facts.kind in _WITH or ends_politely(callee))


def ends_politely(callee: str) -> bool:
    """Whether its ``with`` does more than close, so that the function must have asked for that."""
    return callee in _POLITE


def may_guard(facts: Facts) -> bool:
    """Whether its mere being open may matter to what follows, so that only the author's close tells where it ends."""
    return facts.kind == "resource"


def needs_async(facts: Facts, callee: str) -> bool:
    """Whether the block has to be an ``async with``."""
    return facts.kind == "HTTP session" and _SESSIONS.get(callee, False)


def by_finally(facts: Facts) -> bool:
    """Whether closing it in a ``finally`` is all there is to it."""
    return bool(facts.close) and (facts.kind in _FINALLY or (facts.kind in _WITH and facts.managed))


def closes(facts: Facts, name: str, callee: str) -> tuple[str, ...]:
    """The statements that close it, the usual one first."""
    usual = facts.close.format(name)
    return (usual, f"await {name}.close()", f"await {name}.aclose()") if needs_async(facts, callee) else (usual,)


def closes_once(facts: Facts) -> bool:
    """Whether a second close is an error, or closes what somebody else has opened since."""
    return facts.kind == "descriptor"


def siblings_matter(callee: str) -> bool:
    """Whether what else the call returns is of no use once this is closed."""
    return callee in _PAIRS
