"""Shows this process's ledger to its own user: ``tenure ledger PID`` asks, over a Unix socket, and gets one answer.

``TENURE_INSPECT=1`` opens the socket when the first handle is opened; ``serve()`` opens it now. It lies in a directory
of the user's own, with mode 0600, and the kernel says who connects: another user is turned away. One daemon thread
answers. A forked child does not answer for its parent; the socket goes when the process ends.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import struct
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any, Final

from tenure._impl import implementation
from tenure.errors import NotShown
from tenure.runtime import ledger
from tenure.runtime.rendezvous import socket_of

__all__ = ["Server", "serve", "serve_as_asked"]

#: How long one who asks may take to read the answer, in seconds.
PATIENCE: Final = 5.0

_PEER: Final = struct.Struct("3i")  # pid, uid, gid

_serving: Server | None = None
_hooked = False


class Server:
    """The socket, and the thread that answers on it."""

    def __init__(self, path: Path) -> None:
        self.path = path  #: where it listens
        self._pid = os.getpid()
        self._seen: dict[tuple[str, str], int] = {}
        self._looked: float | None = None
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._bind()
        except BaseException:
            self._listener.close()
            raise
        threading.Thread(target=self._run, name="tenure-inspect", daemon=True).start()

    def _bind(self) -> None:
        if _is_stale(self.path):
            self.path.unlink()
        self._listener.bind(str(self.path))
        self.path.chmod(0o600)
        self._listener.listen()

    def close(self) -> None:
        """Stop answering; a second time does nothing."""
        global _serving
        if _serving is self:
            _serving = None
        if self._pid == os.getpid():
            self.path.unlink(missing_ok=True)
            try:
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
            except OSError:
                pass
        self._listener.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            try:
                asking, _ = self._listener.accept()
            except OSError:  # closed
                return
            with asking:
                try:
                    self._answer(asking)
                except OSError:  # who asked is gone, or reads too slowly
                    pass

    def _answer(self, asking: socket.socket) -> None:
        asking.settimeout(PATIENCE)
        peer = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        if _PEER.unpack(peer)[1] == os.geteuid():
            asking.sendall(json.dumps(self._look()).encode())

    def _look(self) -> dict[str, Any]:
        """What is open, and how much more than at the last look."""
        told, now = _lines(), time.monotonic()
        before, looked = self._seen, self._looked
        self._seen, self._looked = {key: line["open"] for key, line in told.items()}, now
        for site, kind in sorted(before.keys() - told.keys()):
            told[site, kind] = {"site": site, "kind": kind, "open": 0, "bytes": 0, "oldest": 0.0}
        for key, line in told.items():
            line["growth"] = None if looked is None else line["open"] - before.get(key, 0)
        return {
            "pid": self._pid,
            "command": sys.orig_argv,
            "implementation": implementation,
            "counts": ledger.counts()._asdict(),
            "since_last_look": None if looked is None else now - looked,
            "lines": list(told.values()),
        }


def _lines() -> dict[tuple[str, str], dict[str, Any]]:
    """What is open by line and kind, most first; whoever called that line, it is one."""
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for at in ledger.by_site():
        key = site, kind = str(at.site), at.kind
        line = told.setdefault(key, {"site": site, "kind": kind, "open": 0, "bytes": 0, "oldest": 0.0})
        line["open"] += at.open
        line["bytes"] += at.size
        line["oldest"] = max(line["oldest"], at.oldest)
    return dict(sorted(told.items(), key=lambda item: -item[1]["open"]))


def _is_stale(path: Path) -> bool:
    """Whether there is a socket at which nobody listens any more."""
    if not path.is_socket():
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        return asking.connect_ex(str(path)) != 0


def serve(path: str | os.PathLike[str] | None = None) -> Server:
    """Show this process's ledger from now on; at ``path``, or where ``tenure ledger`` looks for it.

    The answer can be closed, or used in a ``with`` block. Serving already, it is the server there is, unless a ``path``
    asks for another place: that raises ``NotShown``, as does a place where no socket can be opened.
    """
    global _serving, _hooked
    if not _hooked:
        _hooked = True
        atexit.register(_at_exit)
        os.register_at_fork(after_in_child=_in_child)
    if _serving is not None and (path is None or Path(path) == _serving.path):
        return _serving
    if _serving is not None:
        raise NotShown(path=str(path), why=f"it is shown at {_serving.path} already")
    try:
        _serving = Server(socket_of(os.getpid()) if path is None else Path(path))
    except NotShown:
        raise
    except OSError as error:
        raise NotShown(path=str(path or error.filename or "its usual place"), why=error) from error
    return _serving


def serve_as_asked() -> None:
    """``serve()``, for ``TENURE_INSPECT=1``; a failure is a warning, as the program did not ask for it."""
    try:
        serve()
    except NotShown as error:
        warnings.warn(str(error), RuntimeWarning, stacklevel=2)


def _at_exit() -> None:
    if _serving is not None:
        _serving.close()


def _in_child() -> None:
    """After fork: the thread is the parent's, and so is the socket."""
    if _serving is not None:
        _serving.close()
