"""The runtime's definition in pure Python: what ``tenure._native`` does fast, it does here, legibly.

How it holds its promises without a lock, so that a finalizer or a signal handler can never meet one of its own:

* ``books.tokens`` maps each open resource to its token. A token enters it in the same call into C that made it
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
from typing import Any, Final

from tenure._impl.contract import Counts, Entry, Hooks
from tenure._impl.pure import acquire, books
from tenure._impl.pure.books import queue
from tenure._impl.pure.handle import Handle
from tenure._impl.pure.lease import Lease
from tenure._impl.pure.remains import Remains
from tenure.lifecycle import TABLE, State

__all__ = [
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


def table() -> dict[tuple[int, int], tuple[int, int]]:
    """The lifecycle as plain numbers."""
    return {(int(at), int(event)): (int(to), int(effect)) for (at, event), (to, effect) in TABLE.items()}


def install(hooks: Hooks) -> None:
    """Whom the slow paths ask."""
    acquire.install(hooks)


def configure(*, depth: int, sample: int, refuse: bool, strict: bool) -> None:
    """Frames kept for a site; keep every n-th; refuse to close under a lease; a second close is an error."""
    now = books.settings
    now.depth, now.sample, now.refuse, now.strict = depth, sample, refuse, strict


def entries() -> list[Entry]:
    """Everything that is open now, oldest first."""
    return [books.entry(cell) for cell in books.tokens.copy()]


def entry_of(handle: Handle[Any]) -> Entry:
    """The line of one handle, closed or not."""
    return books.entry(handle._cell)


def handles() -> list[Handle[Any]]:
    """The handles that are open and held by somebody, oldest first."""
    return [handle for cell in books.tokens.copy() if (handle := cell()) is not None]


def counts() -> Counts:
    """The books, as they stand."""
    return books.tally()


def disown_all() -> None:
    """After fork, in the child: nothing that was open is this process's. Clears queue and counts."""
    owner = os.getppid()
    for cell in books.tokens:
        cell.state = State.CLOSED
        cell.closed = owner
    for book in (books.tokens, books.owners, books.children, books.leases_table, books.waiting):
        book.clear()
    books.book.clear()
    books.queue.clear()
    acquire.reset()
