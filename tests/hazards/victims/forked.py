"""A forked child has copies of everything, and owns none of it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from typing import Any

import tenure


def session(lib: Any, protected: bool) -> None:
    """Protected by the owner's pid: the child's drop does not say goodbye to the parent's peer."""
    server, client = socket.socketpair()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)

    class Bare:
        def __init__(self) -> None:
            self.token = lib.hz_session(client.fileno())

        def __del__(self) -> None:
            lib.hz_session_close(self.token)

    def serve() -> None:
        while (word := server.recv(1)) not in (b"", b"B"):
            server.send(word)
        server.shutdown(socket.SHUT_RDWR)

    kept: Any = tenure.open(lib.hz_session, client.fileno(), release=lib.hz_session_close) if protected else Bare()
    child = os.fork()
    if child == 0:
        del kept
        tenure.drain()
        os._exit(0)
    os.waitpid(child, 0)
    threading.Thread(target=serve, daemon=True).start()
    if protected:
        with kept.lease() as token:
            print("ping", lib.hz_session_ping(token))
        kept.close()
    else:
        print("ping", lib.hz_session_ping(kept.token))


def folder(lib: Any, protected: bool) -> None:
    """Protected by the owner's pid: the child's exit does not delete the parent's directory."""
    path: Any = tempfile.mkdtemp() if protected else tempfile.TemporaryDirectory()
    kept: Any = tenure.own(path, release=shutil.rmtree) if protected else path
    name = path if isinstance(path, str) else path.name
    child = os.fork()
    if child == 0:
        sys.exit(0)
    os.waitpid(child, 0)
    print("still there", os.path.isdir(name))
    sys.stdout.flush()
    if protected:
        kept.close()
    os._exit(0)


def busy_neighbour(lib: Any, protected: bool) -> None:
    """Protected by a ledger without a lock: another thread cannot leave it locked in the child."""
    lock, inside, stop = threading.Lock(), threading.Event(), threading.Event()

    def register() -> None:
        while not stop.is_set():
            if protected:
                tenure.open(lib.hz_open, 16, release=lib.hz_close).close()
                inside.set()
            else:
                with lock:  # a registry with a lock, in use
                    inside.set()
                    stop.wait()

    thread = threading.Thread(target=register)
    thread.start()
    inside.wait()
    child = os.fork()
    if child == 0:
        if protected:
            with tenure.open(lib.hz_open, 16, release=lib.hz_close):
                os._exit(0 if tenure.ledger.counts().open == 1 else 1)
        os._exit(0 if lock.acquire(timeout=0.1) else 2)
    print("child", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    stop.set()
    thread.join()


def misuse(lib: Any, protected: bool) -> None:
    """Protected by the owner's pid: the child is told whose the handle is."""
    handle: tenure.Handle[int] = tenure.open(lib.hz_open, 16, release=lib.hz_close)
    child = os.fork()
    if child == 0:
        try:
            handle.lease()
        except tenure.errors.DisownedHandle as refusal:
            print("refused:", refusal, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    handle.close()
