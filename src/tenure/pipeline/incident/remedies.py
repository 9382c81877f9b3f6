"""Five ways to free a key, as five classes with the same use: ``address``-borrowing ``use`` and ``retire``.

Each is written as programs really are. What goes wrong with them goes wrong by itself.
"""

from __future__ import annotations

import collections
import os
import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

import tenure
from tenure.pipeline.incident.memory import SIZE, Memory

__all__ = [
    "REMEDIES",
    "CloseAndFinalizer",
    "FinalizerOnly",
    "HandKeptRegistry",
    "Key",
    "KeyGone",
    "RefuseIfCached",
    "Remedy",
    "TenureKey",
    "ring",
]

#: The log's ring buffer, which keeps what it was given for error context.
ring: collections.deque[tuple[str, Any]] = collections.deque(maxlen=64)


class KeyGone(Exception):
    """The key was closed, and the remedy noticed."""


class Key(Protocol):
    """What a request handler sees of a key."""

    def use(self, call: Callable[[int], bytes]) -> bytes:
        """``call`` with the key's address."""

    def retire(self) -> None:
        """The key was rotated out: give it up."""


class FinalizerOnly:
    """The incident: the finalizer frees, and logs the object it frees."""

    def __init__(self, memory: Memory, content: bytes) -> None:
        self._memory, self.address = memory, memory.open(content)

    def use(self, call: Callable[[int], bytes]) -> bytes:
        return call(self.address)

    def retire(self) -> None:
        """Nothing to do: the finalizer will."""

    def __del__(self) -> None:
        # for error context; tenure: allow del-resurrects (the mistake this is about)
        ring.append(("key finalized", self))
        self._memory.close(self.address)


class CloseAndFinalizer:
    """``close`` on every path, and a finalizer behind it in case somebody forgets."""

    def __init__(self, memory: Memory, content: bytes) -> None:
        self._memory, self.address = memory, memory.open(content)

    def use(self, call: Callable[[int], bytes]) -> bytes:
        return call(self.address)

    def retire(self) -> None:
        self._memory.close(self.address)

    def __del__(self) -> None:
        self._memory.close(self.address)


class HandKeptRegistry:
    """A table of what is open, by address, under a lock; nothing is freed that is not in it."""

    open: Final[dict[int, str]] = {}
    _lock = threading.Lock()

    def __init__(self, memory: Memory, content: bytes) -> None:
        self._memory, self.address = memory, memory.open(content)
        with self._lock:
            self.open[self.address] = threading.current_thread().name

    def use(self, call: Callable[[int], bytes]) -> bytes:
        with self._lock:
            known = self.address in self.open
        if not known:
            raise KeyGone
        return call(self.address)  # another thread may close it now

    def retire(self) -> None:
        with self._lock:
            known = self.open.pop(self.address, None)
        if known is not None:
            self._memory.close(self.address)


class RefuseIfCached:
    """A finalizer that looks whether its object stands in a cache before it frees, and panics if so."""

    _lock = threading.Lock()

    def __init__(self, memory: Memory, content: bytes) -> None:
        self._memory, self.address = memory, memory.open(content)

    def use(self, call: Callable[[int], bytes]) -> bytes:
        return call(self.address)

    def retire(self) -> None:
        """Nothing to do: the finalizer will."""

    def __del__(self) -> None:
        ring.append(("key finalized", self))  # tenure: allow del-resurrects (the mistake this is about)
        with self._lock:  # tenure: allow del-blocks (why this remedy was not taken)
            cached = any(kept is self for _, kept in ring)
        if cached:
            os.write(2, b"panic: a key that stands in the log's ring is being freed\n")
            os.abort()
        self._memory.close(self.address)


class TenureKey(tenure.Handle[int]):
    """Close on every path, a lease around every use, and the ledger for what was forgotten."""

    def __init__(self, memory: Memory, content: bytes) -> None:
        super().__init__(memory.open, content, release=memory.close, size=SIZE)

    def use(self, call: Callable[[int], bytes]) -> bytes:
        try:
            with self.lease() as address:
                return call(address)
        except tenure.errors.ClosedHandle as error:
            raise KeyGone from error

    def retire(self) -> None:
        ring.append(("key retired", self))  # the log may keep it: it is closed, and says so
        self.close()


Remedy = Callable[[Memory, bytes], Key]

#: Each remedy as the story tells it.
REMEDIES: Final[dict[str, tuple[str, Remedy]]] = {
    "finalizer": ("a finalizer frees, and logs itself into a ring", FinalizerOnly),
    "close+finalizer": ("close, with a naive finalizer behind it", CloseAndFinalizer),
    "registry": ("a registry by address, kept by hand", HandKeptRegistry),
    "refuse-if-cached": ("a finalizer that panics if its object is cached", RefuseIfCached),
    "tenure": ("close, lease and ledger", TenureKey),
}
