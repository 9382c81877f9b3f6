"""The C memory that keys live in: guarded, where a touch after the free is a signal, or plain, where it reads on."""

from __future__ import annotations

import ctypes
import mmap
import os
import threading
from typing import Final

__all__ = ["MEMORIES", "SIZE", "GuardedMemory", "Memory", "PlainMemory"]

SIZE: Final = 32  #: bytes of a key

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_libc.malloc.restype = ctypes.c_void_p
_libc.malloc.argtypes = [ctypes.c_size_t]
_libc.free.argtypes = [ctypes.c_void_p]
_libc.free.restype = None

_PROT_NONE: Final = 0
_MAP_FAILED: Final = ctypes.c_void_p(-1).value


class Memory:
    """Allocates keys and counts; the way it frees is what the two kinds differ in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.opened = 0
        self.closed = 0

    def open(self, content: bytes) -> int:
        """The address of a new key that holds ``content``, of ``SIZE`` bytes."""
        address = self._allocate()
        ctypes.memmove(address, content, SIZE)
        with self._lock:
            self.opened += 1
        return address

    def close(self, address: int) -> None:
        """Free it, as a C library does: it trusts the address."""
        with self._lock:
            self.closed += 1
        self._free(address)

    def _allocate(self) -> int:
        raise NotImplementedError

    def _free(self, address: int) -> None:
        raise NotImplementedError


class GuardedMemory(Memory):
    """Every key has a page, which nobody may touch once it was freed and which is never used again."""

    def _allocate(self) -> int:
        flags, access = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE
        address = _libc.mmap(None, mmap.PAGESIZE, access, flags, -1, 0)
        if address == _MAP_FAILED:
            raise MemoryError(f"mmap of a page for a key: {os.strerror(ctypes.get_errno())}")
        return int(address)

    def _free(self, address: int) -> None:
        ctypes.memset(address, 0, SIZE)  # wipes the key; a key that was freed before is not there to be wiped
        _libc.mprotect(address, mmap.PAGESIZE, _PROT_NONE)


class PlainMemory(Memory):
    """``malloc`` and ``free``: what was freed is given out again, and a late reader finds somebody else's key."""

    def _allocate(self) -> int:
        address = _libc.malloc(SIZE)
        if not address:
            raise MemoryError(f"malloc of {SIZE} bytes for a key")
        return int(address)

    def _free(self, address: int) -> None:
        _libc.free(address)


MEMORIES: Final[dict[str, type[Memory]]] = {"guarded": GuardedMemory, "plain": PlainMemory}
