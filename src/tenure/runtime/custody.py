"""Asks the collector, at each full collection, which of the objects kept here nobody else can reach.

Between full collections the objects are kept alive. When one begins they are handed to a *custodian*: garbage that
refers to itself, so that the collector is bound to find it unreachable, and with it every object that only it refers
to. Which those are it tells by clearing their weak references and calling back those that stand in ``dead``. Then it
finalizes the custodian, which hands everything back. So the verdict is the collector's own, for cycles too.

Two rules make it fit for finalizers:

* What an unreachable object refers to must stay as it was until the object's finalizer has seen it, or files would be
  closed and handles abandoned under its feet. So what is referred to by objects that nobody else holds is *sheltered*:
  kept reachable through that one collection. An object that something else holds, which may be a part of the same
  garbage, cannot have that: its references may lead back to itself, and then it would never be found.
* No bytecode runs between the verdict and the handing back. The weak references call ``deque.append`` and so does the
  custodian's ``__del__``, which holds what it hands back. An interrupt has nowhere to fall; one that hits the callbacks
  below delays what they do to the next collection.
"""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import compress
from typing import Any, Final
from weakref import ref

__all__ = ["Custody", "Kept"]

#: What ``sys.getrefcount`` says, where it is used below, of an object that nothing but a dict of ours refers to.
_ALONE: Final = [*map(sys.getrefcount, {0: object()}.values())].pop()

_probe: Final = (None, object())
#: The same where it is in a tuple.
_ALONE_IN_A_TUPLE: Final = sys.getrefcount(_probe[1])

_FULL: Final = 2


class Kept(ref[Any]):
    """A weak reference to an object in custody, with the key it is kept under."""

    __slots__ = ("key",)
    # A weak reference hashes and compares as what it refers to; this one is itself.
    __hash__ = object.__hash__
    __eq__ = object.__eq__

    key: int


class Custody:
    """Objects kept alive, and tried for reachability by every full collection."""

    def __init__(self, found: Callable[[Kept], None], settled: Callable[[], None]) -> None:
        self.number: int = gc.get_stats()[_FULL]["collections"]  #: of the full collection that began last
        self.dead: deque[Kept] = deque()  #: where the ``Kept`` of an object puts itself when the collector clears it
        self._found, self._settled = found, settled
        self._objects: dict[int, object] = {}
        self._uncollected: dict[int, tuple[Kept, object]] = {}  # of types the collector does not follow
        self._returned: deque[dict[int, object]] = deque()
        self._frozen = gc.get_freeze_count()
        self._sheltered: list[object] = []
        self._sheltering: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self._objects) + len(self._uncollected) + sum(map(len, self._returned))

    def start(self) -> None:
        """Take part in the collections from now on; doing it twice is the same as once."""
        if self._on_collection not in gc.callbacks:
            gc.callbacks.append(self._on_collection)

    def stop(self) -> None:
        """Take part no more."""
        if self._on_collection in gc.callbacks:
            gc.callbacks.remove(self._on_collection)

    def keep(self, kept: Kept, obj: object) -> None:
        """Take ``obj`` into custody; it is tried by collections that begin from now on."""
        if not gc.is_tracked(obj):
            self._uncollected[kept.key] = (kept, obj)
            return
        while True:
            objects = self._objects
            objects[kept.key] = obj
            if self._objects is objects:  # or a collection began between the two lines above
                return

    def kept(self, key: int) -> object | None:
        """The object under ``key``."""
        entry = self._uncollected.get(key)
        return self._objects.get(key) if entry is None else entry[1]

    def was_sheltered(self, key: int) -> bool:
        """Whether the last collection left alone everything that the object under ``key`` refers to."""
        return key in self._sheltering

    def release(self, key: int) -> None:
        """Let go of the object under ``key``."""
        self._objects.pop(key, None)
        self._uncollected.pop(key, None)

    def purge(self, wanted: Callable[[int], bool]) -> None:
        """Let go of every object whose key is not ``wanted`` any more."""
        for key in [*self._objects, *self._uncollected]:
            if not wanted(key):
                self.release(key)

    def clear(self) -> None:
        """Let go of everything, and of what was found and not told yet."""
        for container in (self._objects, self._uncollected, self._returned, self.dead, self._sheltered):
            container.clear()

    def _on_collection(self, phase: str, info: dict[str, int]) -> None:
        if info["generation"] == _FULL:
            self._begin() if phase == "start" else self._end()

    def _begin(self) -> None:
        self._end()  # what an interrupt kept the last collection from doing
        self.number += 1
        frozen = gc.get_freeze_count()
        if frozen != self._frozen:  # never zero on some versions, whose own objects are frozen from the start
            self._frozen = frozen
            self._thaw()
        objects = self._objects
        if objects:
            self._entrust(objects)
        self._count()

    def _entrust(self, objects: dict[int, object]) -> None:
        """Leave them to the collector; whatever cuts this off, nothing is tried that was not sheltered."""
        try:
            _Custodian(partial(self._returned.append, objects))
            # Invariant: up to here they are kept by us, and from here handed back.
            self._objects = {}
            while not self._shelter(objects):
                pass
        except BaseException:
            self._objects.update(objects)
            raise

    def _thaw(self) -> None:
        """Have a new dict: ``gc.freeze()`` exempts the one that it met, and with it all that it holds."""
        frozen = self._objects
        self._objects = frozen.copy()
        self._objects.update(frozen)  # with what another thread put there before it saw the new one

    def _shelter(self, objects: dict[int, object]) -> bool:
        try:
            counts = list(map(sys.getrefcount, objects.values()))
            alone = list(map(_ALONE.__eq__, counts))
            self._sheltered = gc.get_referents(*compress(objects.values(), alone))
            self._sheltering = frozenset(compress(objects, alone))
        except RuntimeError:  # without the GIL a thread may still be about to put something there
            return False
        return True

    def _count(self) -> None:
        """Find what the collector cannot: an object it does not follow is unreachable when its count is ours alone."""
        for entry in [*self._uncollected.values()]:
            if sys.getrefcount(entry[1]) == _ALONE_IN_A_TUPLE:
                self.dead.append(entry[0])

    def _end(self) -> None:
        # Invariant: everything here may be cut off by an interrupt and done again.
        while self._returned:
            self._objects.update(self._returned[0])
            self._returned.popleft()
        self._sheltered = []  # and the keys of those that had it stay, for who is told of them below
        while self.dead:
            self._found(self.dead[0])
            self.dead.popleft()
        self._settled()


class _Custodian:
    """Garbage that gives back what it was entrusted with when the collector finalizes it.

    ``__del__`` is a slot: each custodian has its own, and it need not be written in Python.
    """

    __slots__ = ("__del__", "itself")

    def __init__(self, give_back: Callable[[], object]) -> None:
        self.__del__ = give_back
        self.itself = self
