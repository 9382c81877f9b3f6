"""Release functions for secrets: they fill memory with zeros before it is used again."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable
from itertools import filterfalse
from typing import Any, Final

__all__ = ["wiper"]

_libc: Final = ctypes.CDLL(None)
# The address as a size, not a pointer: for a pointer ctypes would take a string or None, and wipe what it points to.
_WIPE: Final[Any] = ctypes.CFUNCTYPE(None, ctypes.c_size_t, ctypes.c_size_t)


def wiper(size: int, put: Callable[[int], object], /) -> Callable[[int], object]:
    """A function that wipes the ``size`` bytes at an address, in a way no compiler leaves out, and then calls ``put``.

    A signal handler that raises at its first instruction, in the middle of a ``close``, still prevents it, as Python
    can be interrupted there; the native one cannot.
    """
    wipe = _WIPE(("explicit_bzero", _libc), ((1, "address"), (1, "size", size)))

    def release(address: int) -> None:
        deque(map(put, filterfalse(wipe, (address,))), 0)  # wiped and given back in one step, as all of it is in C

    return release
