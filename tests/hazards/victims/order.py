"""A parent is freed before its child, which touches it as it goes."""

from __future__ import annotations

import gc
from typing import Any

import tenure


def _pair(lib: Any, protected: bool) -> tuple[tenure.Handle[int], tenure.Handle[int]]:
    parent: tenure.Handle[int] = tenure.open(lib.hz_open, 16, release=lib.hz_close, kind="parent")
    with parent.lease() as token:
        child: tenure.Handle[int] = tenure.open(
            lib.hz_child, token, release=lib.hz_close, kind="child", parent=parent if protected else None
        )
    return parent, child


class Node:
    """An object that holds a handle and another object."""

    other: Node

    def __init__(self, handle: tenure.Handle[int]) -> None:
        self.handle = handle


def cycle(lib: Any, protected: bool) -> None:
    """Protected by ``parent=``: the collector may find both at once."""
    above, below = map(Node, _pair(lib, protected))
    above.other, below.other = below, above
    del above, below
    gc.collect()
    tenure.drain()
    print("collected")


def temporary(lib: Any, protected: bool) -> None:
    """Protected by ``parent=``: the child holds the parent, which has no name of its own."""
    child = _pair(lib, protected)[1]
    gc.collect()
    tenure.drain()
    with child.lease() as token:
        print("read", lib.hz_peek(token, 0))
    child.close()


def explicit(lib: Any, protected: bool) -> None:
    """Protected by ``parent=``: closing the parent closes its children first."""
    parent, child = _pair(lib, protected)
    parent.close()
    child.close()
    print("closed", parent.state.name, child.state.name)
