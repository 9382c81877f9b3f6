"""What the pure implementation writes down: the cells of what is open, and tables in which each change is one step."""

from __future__ import annotations

import threading
from _queue import Empty, SimpleQueue
from collections.abc import Callable
from itertools import count
from typing import Any, Final
from weakref import ref

from tenure._impl.contract import Counts, Entry
from tenure._impl.site import Site
from tenure.lifecycle import State

__all__ = [
    "NO_LEASES",
    "Book",
    "Cell",
    "Queue",
    "Settings",
    "address_of",
    "book",
    "children",
    "entry",
    "leases_of",
    "leases_table",
    "owners",
    "queue",
    "settings",
    "tally",
    "tokens",
    "waiting",
    "which",
]


class Cell(ref[Any]):
    """What the ledger knows of one resource; a weak reference to its handle, so it keeps nobody alive."""

    __slots__ = ("closed", "kind", "leases", "since", "site", "size", "state")
    # A weak reference hashes and compares as what it refers to; a cell is itself.
    __hash__ = object.__hash__
    __eq__ = object.__eq__

    state: State  #: LEASED is never stored: it is OPEN with leases out
    leases: dict[int, None]  #: one key for each lease and each open child
    site: Site
    kind: str
    size: int
    since: float
    closed: tuple[Any, int, int] | int | None  #: code and offset of the close, and the address; or the owner's pid


class Book:
    """What ever happened, counted, by ``itertools.count``: ``next`` on it is one step, where ``+= 1`` is several."""

    __slots__ = ("abandoned", "acquired", "detached", "disowned", "samples", "undone")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.acquired = count(1)  # from 1, so that each number it gives is true: see ``acquire``
        self.undone, self.detached, self.disowned, self.abandoned = count(), count(), count(), count()
        self.samples = count()


class Settings:
    """What ``configure`` sets."""

    __slots__ = ("depth", "refuse", "sample", "strict")

    def __init__(self) -> None:
        self.depth, self.sample, self.refuse, self.strict = 3, 1, False, False


class Queue:
    """A ``SimpleQueue``: its ``put`` is in C and re-entrant, so a finalizer may call it wherever it was run."""

    __slots__ = ("_get", "_items", "put")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._items: SimpleQueue[Any] = SimpleQueue()
        self.put: Callable[[Any], None] = self._items.put
        self._get = self._items.get

    def get(self, timeout: float | None = None) -> Any:
        """The next item, waiting at most ``timeout`` seconds (None: for ever); None if none came."""
        try:
            return self._get(True, timeout) if timeout != 0 else self._get(False)
        except Empty:
            return None

    def __len__(self) -> int:
        return self._items.qsize()


#: The truth: what is in here is owned, and whoever pops it releases it.
tokens: Final[dict[Cell, Any]] = {}
#: By token, to refuse a second owner; an aid, never the truth.
owners: Final[dict[Any, Cell]] = {}
children: Final[dict[Cell, dict[Cell, None]]] = {}
waiting: Final[dict[Cell, threading.Event]] = {}
#: Of cells that were leased at least once; ``NO_LEASES`` stands for all the others and is never written.
leases_table: Final[dict[Cell, dict[int, None]]] = {}
NO_LEASES: Final[dict[int, None]] = {}
book: Final = Book()
settings: Final = Settings()
queue: Final = Queue()


def leases_of(cell: Cell) -> dict[int, None]:
    """The leases of ``cell``, to be written to."""
    # Invariant: two threads that come here at once get the same dict, as setdefault is one step.
    leases = cell.leases = leases_table.setdefault(cell, {})
    return leases


def address_of(token: Any) -> int:
    """The token, if it is a number; its identity otherwise."""
    return token if type(token) is int else id(token)


def which(cell: Cell) -> str:
    """The resource as messages name it."""
    token = tokens.get(cell)
    if token is not None:
        return f"{cell.kind} handle {address_of(token):#x}"
    return f"{cell.kind} handle {cell.closed[2]:#x}" if type(cell.closed) is tuple else f"{cell.kind} handle"


def entry(cell: Cell) -> Entry:
    """The cell's line in the ledger."""
    token, leases = tokens.get(cell), len(cell.leases)
    state = State.LEASED if cell.state is State.OPEN and leases else cell.state
    return Entry(cell.kind, address_of(token), cell.size, cell.since, cell.site, state, leases)


def tally() -> Counts:
    """The counts, as they stand."""
    now = tokens.copy()
    opened = _so_far(book.acquired) - 1 - _so_far(book.undone)
    detached, disowned, abandoned = map(_so_far, (book.detached, book.disowned, book.abandoned))
    closed = opened - detached - disowned - len(now)
    return Counts(opened, closed, detached, disowned, abandoned, len(now), sum(cell.size for cell in now))


def _so_far(counter: count[int]) -> int:
    """What ``next`` would give, without taking it: it stands in the representation."""
    return int(repr(counter)[len("count(") : -1])
