"""A handle that belongs to one thread is released on another."""

from __future__ import annotations

import gc
import queue
import sqlite3
import threading
from typing import Any

import tenure

_home: queue.SimpleQueue[Any] = queue.SimpleQueue()


def _drop_and_collect_elsewhere(handle: Any, protected: bool) -> None:
    """Make ``handle`` cyclic garbage and collect it on another thread, then do at home what was sent home."""
    cycle = [handle]
    cycle.append(cycle)
    del handle, cycle
    thread = threading.Thread(target=gc.collect)
    thread.start()
    thread.join()
    if protected:
        _home.get()()
    tenure.drain()


def identity(lib: Any, protected: bool) -> None:
    """Protected by ``via``: the release is handed to the thread that opened."""
    seen: list[int] = []

    def release(token: int) -> None:
        seen.append(threading.get_ident())
        lib.hz_close(token)

    gc.disable()
    _drop_and_collect_elsewhere(
        tenure.open(lib.hz_open, 16, release=release, via=_home.put if protected else None), protected
    )
    print("at home", seen == [threading.get_ident()])


def database(lib: Any, protected: bool) -> None:
    """The same with a library that checks."""
    gc.disable()
    _drop_and_collect_elsewhere(
        tenure.open(
            sqlite3.connect, ":memory:", release=sqlite3.Connection.close, via=_home.put if protected else None
        ),
        protected,
    )
    print("drained")


def misuse(lib: Any, protected: bool) -> None:
    """Protected by ``via``: another thread can neither lease nor close."""
    handle: tenure.Handle[int] = tenure.open(lib.hz_open, 16, release=lib.hz_close, via=_home.put)

    def close() -> None:
        try:
            handle.close()
        except tenure.errors.WrongThread as refusal:
            print("refused:", refusal)

    thread = threading.Thread(target=close, name="stranger")
    thread.start()
    thread.join()
    handle.close()
