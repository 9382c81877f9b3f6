"""A finalizer that reaches its object keeps it alive for ever."""

from __future__ import annotations

import functools
import gc
import weakref
from collections.abc import Callable
from typing import Any

import tenure


def dropped(lib: Any, protected: bool, how: str) -> None:
    """Protected by the check at registration, which names the path; the release is a function of the token then."""

    def release_of(owner: Any) -> Callable[..., Any]:
        ways: dict[str, Callable[..., Any]] = {
            "bound": owner.free,
            "lambda": lambda *_: owner.free(),
            "partial": functools.partial(type(owner).free, owner),
        }
        return ways[how]

    class Bare:
        def __init__(self) -> None:
            self.token = lib.hz_open(64)
            weakref.finalize(self, release_of(self))

        def free(self, *_: object) -> None:
            lib.hz_close(self.token)

    class Protected(tenure.Handle[int]):
        def __init__(self) -> None:
            try:
                super().__init__(lib.hz_open, 64, release=release_of(self))
            except tenure.errors.CapturedOwner as refusal:
                refused.append(str(refusal))
                self.next = tenure.open(lib.hz_open, 64, release=lib.hz_close)  # the line

        def free(self, *_: object) -> None:
            raise AssertionError("never called")

    refused: list[str] = []
    for _ in range(100):
        Protected() if protected else Bare()
    for refusal in refused[:1]:
        print("refused:", refusal)
    gc.collect()
    tenure.drain()
    print("live", lib.hz_live())
