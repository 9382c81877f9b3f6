"""The runtime's definition in pure Python: what ``tenure._native`` does fast, it does here, legibly.

How it holds its promises without a lock, so that a finalizer or a signal handler can never meet one of its own:

* A token stands in a box, a list of one. It gets there in the same call into C that made it (``list.extend`` drawing
  from the factory), and is taken out with no call between that and the release, so no signal can fall into either gap.
  It can be taken out only once: whoever comes first releases, and everybody else finds an empty box.
* A lease is put among the handle's leases *before* the state is read, and a close writes the state *before* the leases
  are counted. Whichever comes second sees the other, so a release never overlaps a lease. A detach likewise takes the
  token out before the leases are counted, and puts it back if there are any.
* Giving a lease back removes a key, so doing it twice is the same as once.

The ledger maps tokens to weak references: it keeps nothing alive.
"""

from __future__ import annotations

import os
from itertools import count
from typing import Any, Final

from tenure._impl.contract import Counts, Entry, Hooks
from tenure._impl.pure import acquire, books
from tenure._impl.pure.books import queue
from tenure._impl.pure.handle import Handle
from tenure._impl.pure.lease import Lease
from tenure._impl.pure.life import Life, forget_locks
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
    return [life._entry for life in _open()]


def entry_of(handle: Handle[Any]) -> Entry:
    """The line of one handle, closed or not."""
    return handle._entry


def handles() -> list[Handle[Any]]:
    """The handles that are open and held by somebody, oldest first."""
    return [life for life in _open() if isinstance(life, Handle)]


def _open() -> list[Life]:
    # In the moment between the end of a handle and its remains, neither is found; it is on its way to the safety net.
    marks = list(books.ledger.values())  # one step, in which no token is compared
    return [life for mark in marks if (life := mark() or books.lost.get(mark)) is not None]


def counts() -> Counts:
    """The books, as they stand."""
    book, now = books.book, _open()
    opened = _so_far(book.opened) - _so_far(book.undone)
    detached, disowned, abandoned = map(_so_far, (book.detached, book.disowned, book.abandoned))
    size = sum(life._extra.size for life in now if life._extra is not None)
    standing = len(books.ledger)
    return Counts(opened, opened - detached - disowned - standing, detached, disowned, abandoned, standing, size)


def _so_far(counter: count[int]) -> int:
    """What ``next`` would give, without taking it: it stands in the representation."""
    return int(repr(counter)[len("count(") : -1])


def disown_all() -> None:
    """After fork, in the child: nothing that was open is this process's. Clears queue and counts."""
    owner = os.getppid()
    for life in _open():
        life._state = State.CLOSED
        life._closed = owner
        life._box.clear()
    for table in (books.ledger, books.lost, books.children, books.going, books.waiting):
        table.clear()
    books.book.clear()
    books.queue.clear()
    forget_locks()
    acquire.reset()
