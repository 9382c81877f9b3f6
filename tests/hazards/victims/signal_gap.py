"""A signal handler raises between the call that acquires and the statement that keeps what it got."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import tenure


class Hit(Exception):
    """What the handler raises."""


class _Swallowed:
    """The interrupts that fell into a finalizer, where Python tells them and lets nobody catch them."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, told: object) -> None:
        self.count += 1


_swallowed = _Swallowed()


def _hit(*_: object) -> None:
    raise Hit


def gap(lib: Any, protected: bool, how: str) -> None:
    """Protected by ``open``: acquired and owned is one step."""

    def with_try() -> None:
        token = lib.hz_open(16)
        try:
            pass
        finally:
            lib.hz_close(token)

    @contextlib.contextmanager
    def managed() -> Iterator[int]:
        token = lib.hz_open(16)
        try:
            yield token
        finally:
            lib.hz_close(token)

    def with_manager() -> None:
        with managed():
            pass

    def with_open() -> None:
        with tenure.open(lib.hz_open, 16, release=lib.hz_close):
            pass

    def with_close() -> None:
        tenure.open(lib.hz_open, 16, release=lib.hz_close).close()

    def with_lease() -> None:
        with tenure.open(lib.hz_open, 16, release=lib.hz_close) as handle, handle.lease():
            handle.close()

    ways: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "try": (with_close, with_try),
        "with": (with_open, with_manager),
        "lease": (with_lease, with_try),
    }
    signal.signal(signal.SIGALRM, _hit)
    sys.unraisablehook = _swallowed
    tenure.configure(leak="off")
    hits = sum(_interrupted(ways[how][not protected], number) for number in range(4000))
    gc.collect()
    tenure.drain()
    print("hits", hits + _swallowed.count, "swallowed", _swallowed.count, "live", lib.hz_live(), tenure.ledger.counts())


def _until_hit(way: Callable[[], None], number: int) -> None:
    before = _swallowed.count
    signal.setitimer(signal.ITIMER_REAL, 0.00002 + (number % 97) * 1e-6)
    while _swallowed.count == before:
        way()


def _interrupted(way: Callable[[], None], number: int) -> bool:
    try:
        _until_hit(way, number)
    except Hit:
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return False
