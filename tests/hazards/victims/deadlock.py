"""A finalizer runs inside the collector, on the thread that already holds the lock it wants."""

from __future__ import annotations

import gc
import os
import queue
import threading
import weakref
from typing import Any

import tenure


class ExposingLock:
    """A lock that says so and ends the process where a thread would wait for itself for ever."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if blocking and self._holder == threading.get_ident():
            os.write(1, b"waits for itself\n")
            os._exit(3)
        got = self._lock.acquire(blocking, timeout)
        if got:
            self._holder = threading.get_ident()
        return got

    def release(self) -> None:
        self._holder = 0
        self._lock.release()

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        self.release()


class Cyclic:
    """Garbage that only the collector finds, with a finalizer."""

    def __init__(self, lib: Any, give_back: Any, protected: bool) -> None:
        self.me = self
        if protected:
            self.handle = tenure.open(lib.hz_open, 16, release=give_back)  # the line
        else:
            weakref.finalize(self, give_back, lib.hz_open(16))


def _allocate() -> None:
    """As orderings and appends do; more than any version's collector lets pass without a collection."""
    [{number} for number in range(2500)]


def pool(lib: Any, protected: bool) -> None:
    """Protected by the net: the release function runs on the release thread, where waiting is no deadlock."""
    lock, free = ExposingLock(), []

    def give_back(token: int) -> None:
        with lock:
            free.append(token)

    for _ in range(60):
        Cyclic(lib, give_back, protected)
        with lock:
            _allocate()
    settle()
    finish(lib, free)


def priorities(lib: Any, protected: bool) -> None:
    """The same with a queue, whose lock is not re-entrant either."""
    todo: queue.PriorityQueue[Any] = queue.PriorityQueue()
    todo.mutex = ExposingLock()  # type: ignore[assignment]
    todo.not_empty = threading.Condition(todo.mutex)
    todo.not_full = threading.Condition(todo.mutex)
    todo.all_tasks_done = threading.Condition(todo.mutex)

    class Job:
        def __init__(self, token: int) -> None:
            self.token = token

        def __lt__(self, other: Job) -> bool:
            _allocate()
            return self.token < other.token

    for number in range(60):
        Cyclic(lib, lambda token: todo.put(Job(token)), protected)
        todo.put(Job(-number))
    settle()
    tokens = []
    while not todo.empty():
        tokens.append(todo.get().token)
    finish(lib, [token for token in tokens if token > 0])


def settle() -> None:
    gc.collect()
    tenure.drain()


def finish(lib: Any, free: list[int]) -> None:
    print("finished")
    for token in free:
        lib.hz_close(token)
