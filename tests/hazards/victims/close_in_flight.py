"""Close in one thread while another is inside a call on the same handle."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from typing import Any

import tenure


def call(lib: Any, protected: bool) -> None:
    """Protected by the lease around the call."""
    handle: tenure.Handle[int] = tenure.open(lib.hz_open, 64, release=lib.hz_close)
    with handle.lease() as raw:
        pass
    inside = threading.Event()

    def work() -> None:
        inside.set()
        if protected:
            with handle.lease() as token:
                lib.hz_work(token, 200)
        else:
            lib.hz_work(raw, 200)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    lib.hz_work(raw, 20)  # until the other is well inside
    handle.close()
    print("state after close:", handle.state.name)
    thread.join()
    print("state at the end:", handle.state.name)


def descriptor(lib: Any, protected: bool) -> None:
    """Protected by the lease: the number is not given out again while somebody reads from it."""
    folder = Path(tempfile.mkdtemp())
    (folder / "mine").write_text("mine")
    (folder / "secret").write_text("SECRET")
    handle: tenure.Handle[int] = tenure.open(os.open, str(folder / "mine"), os.O_RDONLY, release=os.close)
    checked, closed = threading.Event(), threading.Event()

    def read() -> None:
        lease = handle.lease()
        number = lease.token
        if not protected:
            lease.give_back()
        checked.set()
        closed.wait()  # the thread loses the CPU between looking and using
        print("read", os.read(number, 16).decode())
        lease.give_back()

    thread = threading.Thread(target=read)
    thread.start()
    checked.wait()
    handle.close()
    os.open(str(folder / "secret"), os.O_RDONLY)
    closed.set()
    thread.join()
