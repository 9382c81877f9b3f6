"""The interpreter ends while handles are open, or in use."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import tenure

_WRAPPER = """
lib = None

class Handle:
    def __init__(self):
        self.token = lib.hz_open(16)
    def __del__(self):
        lib.hz_close(self.token)
"""


def torn_down(lib: Any, protected: bool) -> None:
    """Protected by the exit hook, which releases while modules are still whole."""
    folder = tempfile.mkdtemp()
    sys.path.insert(0, folder)
    Path(folder, "torn_wrapper.py").write_text(_WRAPPER)
    Path(folder, "torn_cache.py").write_text("kept = []\n")
    cache, wrapper = importlib.import_module("torn_cache"), importlib.import_module("torn_wrapper")
    vars(wrapper)["lib"] = lib
    if protected:
        cache.kept.append(tenure.open(lib.hz_open, 16, release=lib.hz_close))  # the line
    else:
        cache.kept.append(wrapper.Handle())
    held = threading.Event()

    def hold(*_: object) -> None:  # a root that outlives the teardown of modules: a daemon thread's frame
        held.set()
        time.sleep(60)

    threading.Thread(target=hold, args=(cache, wrapper), daemon=True).start()
    held.wait()


def in_use(lib: Any, protected: bool) -> None:
    """Protected by the lease: what a daemon thread is using is reported, not released."""

    class Owner: ...

    inside = threading.Event()

    def use(token: int) -> None:
        inside.set()
        lib.hz_work(token, 400)

    def leased() -> None:
        with handle.lease() as token:
            use(token)

    if protected:
        handle: tenure.Handle[int] = tenure.open(lib.hz_open, 16, release=lib.hz_close)  # the lent line
        threading.Thread(target=leased, daemon=True).start()
    else:
        owner, raw = Owner(), lib.hz_open(16)
        weakref.finalize(owner, lib.hz_close, raw)
        globals()["kept"] = owner
        threading.Thread(target=use, args=(raw,), daemon=True).start()
    inside.wait()
    time.sleep(0.02)
    import atexit

    atexit._run_exitfuncs()
    time.sleep(0.05)  # as programs linger: the thread goes on in its call


def never_finalized(lib: Any, protected: bool) -> None:
    """Protected by the exit hook: it knows what a daemon thread's frame holds."""

    class Bare:
        def __init__(self) -> None:
            self.token = lib.hz_open(16)

        def __del__(self) -> None:
            lib.hz_close(self.token)

    held = threading.Event()

    def body() -> None:
        kept = tenure.open(lib.hz_open, 16, release=lib.hz_close) if protected else Bare()
        held.set()
        time.sleep(60)
        print(kept)

    threading.Thread(target=body, daemon=True).start()
    held.wait()


def starts_a_thread(lib: Any, protected: bool) -> None:
    """Protected by the exit hook: a release that wants a thread at exit has one, or its failure is reported."""

    def release(token: int) -> None:
        lib.hz_close(token)
        thread = threading.Thread(target=os.write, args=(1, b"ran in a thread\n"), daemon=True)
        thread.start()
        thread.join()

    class Bare:
        def __init__(self) -> None:
            self.token, self.release = lib.hz_open(16), release

        def __del__(self) -> None:
            self.release(self.token)

    globals()["kept"] = tenure.open(lib.hz_open, 16, release=release) if protected else Bare()
