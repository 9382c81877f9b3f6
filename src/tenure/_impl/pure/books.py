"""What the pure implementation writes down: tables in which every change is one step."""

from __future__ import annotations

import threading
from _queue import Empty, SimpleQueue
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from weakref import ref

if TYPE_CHECKING:
    from tenure._impl.pure.life import Life

__all__ = [
    "NO_LEASES",
    "Mark",
    "book",
    "children",
    "going",
    "ledger",
    "lost",
    "queue",
    "settings",
    "waiting",
]


class Mark(ref[Any]):
    """A weak reference to a handle, made when it was opened, which stands for its resource in every table."""

    __slots__ = ()
    # A weak reference hashes and compares as what it refers to, while that lives; a mark is itself.
    __hash__ = object.__hash__
    __eq__ = object.__eq__


class _Book:
    """What ever happened, counted, by ``itertools.count``: ``next`` on it is one step, where ``+= 1`` is several."""

    __slots__ = ("abandoned", "detached", "disowned", "opened", "samples", "undone")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.opened, self.undone, self.detached, self.disowned, self.abandoned = (count() for _ in range(5))
        self.samples = count()


class _Settings:
    """What ``configure`` sets."""

    __slots__ = ("depth", "refuse", "sample", "strict")

    def __init__(self) -> None:
        self.depth, self.sample, self.refuse, self.strict = 3, 1, False, False


class _Queue:
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


#: What is open, by token; by its mark where the token is unhashable or has several owners. Keeps nothing alive.
ledger: Final[dict[Any, Mark]] = {}
#: What is left of the handles that nobody holds, until they are released.
lost: Final[dict[Mark, Life]] = {}
#: The open children of a handle, in the order they came.
children: Final[dict[Mark, dict[Mark, None]]] = {}
#: Whose release function runs at this moment, and in which thread.
going: Final[dict[Mark, int]] = {}
#: Who waits for a close.
waiting: Final[dict[Mark, threading.Event]] = {}
#: Stands for the leases of every handle that was never leased; nobody writes into it.
NO_LEASES: Final[dict[Any, None]] = {}
book: Final = _Book()
settings: Final = _Settings()
queue: Final = _Queue()
