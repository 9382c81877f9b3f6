"""One native handle is closed twice: by two threads, by two owners, by a copy."""

from __future__ import annotations

import copy
import threading
from typing import Any

import tenure


def race(lib: Any, protected: bool) -> None:
    """Protected by the one step in which the token is taken out."""

    def flush_and_close(token: int) -> None:
        lib.hz_work(token, 5)  # a call that lets other threads run before the close
        lib.hz_close(token)

    class Bare:
        def __init__(self) -> None:
            self.token = lib.hz_open(64)

        def close(self) -> None:
            if self.token:
                flush_and_close(self.token)
                self.token = None

    for _ in range(20):
        owner: Any = tenure.open(lib.hz_open, 64, release=flush_and_close) if protected else Bare()
        together = threading.Barrier(2)

        def close(owner: Any = owner, together: threading.Barrier = together) -> None:
            together.wait()
            owner.close()

        threads = [threading.Thread(target=close) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print("survived")


def alias(lib: Any, protected: bool) -> None:
    """Protected by the ledger, which knows that the token has an owner (``shared=True`` says that this is wanted)."""
    token = lib.hz_open(64)
    first = tenure.own(token, release=lib.hz_close)
    try:
        second = tenure.own(token, release=lib.hz_close, shared=not protected)
        second.close()
    except tenure.errors.AlreadyOwned as refusal:
        print("refused:", refusal)
    first.close()


def copied(lib: Any, protected: bool) -> None:
    """Protected by the handle, which refuses to be copied."""

    class Bare:
        def __init__(self) -> None:
            self.token = lib.hz_open(64)

        def __del__(self) -> None:
            lib.hz_close(self.token)

    owner: Any = tenure.open(lib.hz_open, 64, release=lib.hz_close) if protected else Bare()
    try:
        again = copy.copy(owner)
        del again
    except TypeError as refusal:
        print("refused:", refusal)
    if protected:
        owner.close()
