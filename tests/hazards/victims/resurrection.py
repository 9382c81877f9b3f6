"""An object that frees its handle when it dies is brought back by its own ``__del__``."""

from __future__ import annotations

import gc
from typing import Any

import tenure

ring: list[Any] = []


class Bare:
    """The wrapper everybody writes: it frees in ``__del__``, and logs itself."""

    def __init__(self, lib: Any) -> None:
        self.lib = lib
        self.token = lib.hz_open(64)

    def first(self) -> int:
        return int(self.lib.hz_peek(self.token, 0))

    def __del__(self) -> None:
        self.lib.hz_close(self.token)
        ring.append(self)


class Node:
    """Garbage in a cycle with a handle, which its ``__del__`` logs."""

    def __init__(self, lib: Any) -> None:
        self.handle = tenure.open(lib.hz_open, 64, release=lib.hz_close)  # the line
        self.me = self

    def __del__(self) -> None:
        ring.append(self.handle)


def use_after(lib: Any, protected: bool) -> None:
    """Protected by the handle: what comes back is closed, and refuses."""
    if not protected:
        Bare(lib)
        print(ring[-1].first())
        return
    Node(lib)
    gc.collect()
    tenure.drain()
    try:
        ring[-1].lease()
    except tenure.errors.ClosedHandle as refusal:
        print("refused:", refusal)


def second_life(lib: Any, protected: bool) -> None:
    """Protected by the safety net, which knows each handle, where ``__del__`` is called once in an object's life."""

    class Reopening:
        def __init__(self) -> None:
            self.open()

        def open(self) -> None:
            self.handle = tenure.open(lib.hz_open, 64, release=lib.hz_close) if protected else lib.hz_open(64)

        def __del__(self) -> None:
            if not protected:
                lib.hz_close(self.handle)
            self.open()
            ring.append(self)

    Reopening()
    gc.collect()
    ring.clear()
    gc.collect()
    tenure.drain()
    print("live", lib.hz_live())
