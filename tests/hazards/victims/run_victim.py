"""Runs one victim in this process: ``run_victim.py LIBRARY MODULE FUNCTION protected|bare [ARGUMENTS]``.

A victim is a function of the loaded library and of whether it is protected. Bare, the one line that protects it is
taken out, and the hazard happens.
"""

from __future__ import annotations

import ctypes
import importlib
import signal
import sys
from typing import Any

_POINTER, _SIZE, _INT, _LONG = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_long
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "hz_open": (_POINTER, [_SIZE]),
    "hz_child": (_POINTER, [_POINTER]),
    "hz_close": (_INT, [_POINTER]),
    "hz_work": (ctypes.c_uint64, [_POINTER, _INT]),
    "hz_data": (_POINTER, [_POINTER]),
    "hz_peek": (_INT, [_POINTER, _SIZE]),
    "hz_live": (_LONG, []),
    "hz_opened": (_LONG, []),
    "hz_closed": (_LONG, []),
    "hz_session": (_POINTER, [_INT]),
    "hz_session_close": (_INT, [_POINTER]),
    "hz_session_ping": (_INT, [_POINTER]),
}


def load(path: str) -> ctypes.CDLL:
    """The library at ``path``, with its prototypes."""
    library = ctypes.CDLL(path)
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


if __name__ == "__main__":
    signal.alarm(60)  # a victim that hangs dies, and says so by its signal
    path, module, function, how, *more = sys.argv[1:]
    getattr(importlib.import_module(module), function)(load(path), how == "protected", *more)
