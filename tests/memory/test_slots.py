"""Slots come out of few slabs, are wiped when they come back, and are taken again."""

from __future__ import annotations

import ctypes
from itertools import pairwise

import pytest

from tenure.memory.slots import RESERVE, SLAB_SIZE, SLOT_SIZES, Slots, slots_for
from tenure.runtime.captures import harmless


@pytest.mark.parametrize(("size", "slot"), [(1, 64), (64, 64), (65, 512), (512, 512), (513, 4096), (4096, 4096)])
def test_a_secret_gets_the_smallest_slot_that_holds_it(size: int, slot: int) -> None:
    assert slots_for(size, lock=False) is slots_for(slot, lock=False)


def test_locked_and_unlocked_slots_never_mix() -> None:
    assert slots_for(32, lock=True) is not slots_for(32, lock=False)


def test_what_is_larger_than_a_slot_has_pages_that_are_unmapped_on_release() -> None:
    slots = slots_for(SLOT_SIZES[-1] + 1, lock=False)
    assert slots is not slots_for(SLOT_SIZES[-1] + 1, lock=False)
    slots.provide()
    slots.release(slots.free.pop())
    assert not slots._slabs


def test_one_slab_serves_until_only_the_reserve_is_left() -> None:
    slots = Slots(512, lock=False)
    assert slots.provide()
    for _ in range(SLAB_SIZE // 512 - RESERVE):
        assert not slots.provide()
        slots.free.pop()
    assert slots.provide()


def test_slots_do_not_overlap() -> None:
    slots = Slots(4096, lock=False)
    slots.provide()
    slots.provide()
    taken = sorted(slots.free)
    assert all(b - a >= 4096 for a, b in pairwise(taken))


def test_a_released_slot_is_wiped_and_free_again() -> None:
    slots = Slots(64, lock=False)
    slots.provide()
    address = slots.free.pop()
    ctypes.memset(address, 0x55, 64)
    slots.release(address)
    assert address in slots.free
    assert ctypes.string_at(address, 64) == bytes(64)


@pytest.mark.parametrize("lock", [True, False])
def test_nobody_walks_over_the_free_slots_when_one_is_taken(lock: bool) -> None:
    assert harmless(slots_for(64, lock=lock).release)
