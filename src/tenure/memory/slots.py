"""Slots of equal size in guarded pages, with a free list; a slot is wiped before it is free again."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from operator import index
from typing import Final

from tenure._impl.memory import wiper
from tenure.memory.pages import Pages
from tenure.runtime import captures

__all__ = ["SLAB_SIZE", "SLOT_SIZES", "OwnPages", "Slots", "slots_for"]

#: The sizes a slot can have; what is larger gets pages of its own.
SLOT_SIZES: Final = (64, 512, 4096)
#: Bytes of a slab; small, as an unprivileged process may often lock no more than 64 KiB.
SLAB_SIZE: Final = 4 * 4096
#: Slots kept free beyond the one asked for, for what a signal handler opens between the look and the taking.
RESERVE: Final = 2


class Slots:
    """Every slab of one slot size, with one free list. Without ``lock`` the pages may be swapped out."""

    def __init__(self, slot: int, *, lock: bool) -> None:
        self.locked = lock
        #: Addresses of the free slots. Taking one is one step in C: ``free.pop``.
        self.free: deque[int] = deque()
        #: Held from ``provide`` until the slot is taken, so that no other thread takes it in between.
        self.taking = threading.RLock()
        #: Wipes the slot at an address, and has it free again.
        self.release = wiper(slot, self._put)
        self._slot = slot
        self._slabs: list[Pages] = []

    @property
    def _put(self) -> Callable[[int], object]:
        return self.free.append

    def provide(self) -> bool:
        """Have a free slot; whether that took another slab. Raises what ``Pages`` raises."""
        if len(self.free) > RESERVE:
            return False
        slab = Pages(SLAB_SIZE, lock=self.locked)
        self._slabs.append(slab)
        self.free.extend(range(slab.address, slab.address + SLAB_SIZE, self._slot))
        return True


class OwnPages(Slots):
    """The one slot of pages that hold nothing else, for a secret too large for a slab; unmapped on release."""

    def provide(self) -> bool:
        """Have the slot, which takes pages. Raises what ``Pages`` raises."""
        slab = Pages(self._slot, lock=self.locked)
        self._slabs.append(slab)
        self.free.append(slab.address)
        return True

    @property
    def _put(self) -> Callable[[int], object]:
        return lambda address: self._slabs.clear()


_all: dict[tuple[int, bool], Slots] = {}


def slots_for(size: int, *, lock: bool) -> Slots:
    """Those of the smallest slot that holds ``size`` bytes; ``ValueError`` if that is less than one."""
    if index(size) < 1:
        raise ValueError(f"a secret has at least 1 byte, not {size}")
    slot = next((slot for slot in SLOT_SIZES if slot >= size), None)
    if slot is None:
        return OwnPages(size, lock=lock)
    return _all.get((slot, lock)) or _all.setdefault((slot, lock), _made(slot, lock))


def _made(slot: int, lock: bool) -> Slots:
    """New slots, which hold thousands of free addresses when thousands of secrets were closed, and nothing else."""
    slots = Slots(slot, lock=lock)
    captures.vouch(slots.release)
    return slots


# A forked child takes pages of its own: the inherited ones were wiped, are not locked, and belong to the parent.
os.register_at_fork(after_in_child=_all.clear)
