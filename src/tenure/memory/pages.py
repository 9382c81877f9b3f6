"""Pages for secrets: between two guard pages, left out of core dumps, wiped in forked children, locked in memory."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
from typing import Any, Final

from tenure.errors import LockRefused

__all__ = ["Pages"]

_PAGE: Final = mmap.PAGESIZE
_PROT_NONE: Final = 0
_MADV_DONTDUMP: Final = 16
_MADV_WIPEONFORK: Final = 18

_libc: Final = ctypes.CDLL(None, use_errno=True)


def _function(name: str, *arguments: Any) -> Any:
    return ctypes.CFUNCTYPE(ctypes.c_int, *arguments, use_errno=True)((name, _libc))


_mprotect: Final = _function("mprotect", ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_mlock: Final = _function("mlock", ctypes.c_void_p, ctypes.c_size_t)


class Pages:
    """Private pages for at least ``size`` bytes, from ``address`` on; unmapped when the object goes.

    Raises ``LockRefused`` if they are to be locked and the system says no, ``MemoryError`` if there is no memory.
    """

    __slots__ = ("_map", "address", "size")

    def __init__(self, size: int, *, lock: bool) -> None:
        self.size = -(-size // _PAGE) * _PAGE
        try:
            self._map = mmap.mmap(-1, self.size + 2 * _PAGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        except (OSError, OverflowError) as error:
            raise MemoryError(f"no memory for {size} bytes of secrets") from error
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self.address = start + _PAGE
        for guard in (start, self.address + self.size):
            if _mprotect(guard, _PAGE, _PROT_NONE):
                raise OSError(ctypes.get_errno(), "cannot protect the guard pages of secrets")
        for advice in (_MADV_DONTDUMP, _MADV_WIPEONFORK):
            self._map.madvise(advice, _PAGE, self.size)
        if lock and _mlock(self.address, self.size):
            raise LockRefused(size=self.size, why=_refusal(ctypes.get_errno()))


def _refusal(number: int) -> str:
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    told = "unlimited" if limit == resource.RLIM_INFINITY else f"{limit} bytes"
    return f"mlock says {errno.errorcode.get(number, number)} ({os.strerror(number)}), and RLIMIT_MEMLOCK is {told}"
