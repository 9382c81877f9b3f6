"""Where the processes that show their ledger are found: a socket each, in a directory only their user can enter."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from tenure.errors import UnsafeDirectory

__all__ = ["directory", "pids", "socket_of"]


def directory() -> Path:
    """The private directory of this user; made if it is not there.

    Raises ``UnsafeDirectory`` if others may enter it, ``OSError`` if it cannot be made.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    path = Path(runtime, "tenure") if runtime else Path(tempfile.gettempdir(), f"tenure-{os.geteuid()}")
    path.mkdir(mode=0o700, exist_ok=True)
    # Anybody may have made it first, where the directory above is shared; also as a link to elsewhere.
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise UnsafeDirectory(path=str(path))
    return path


def socket_of(pid: int) -> Path:
    """Where process ``pid`` listens, if it does."""
    return directory() / f"{pid}.sock"


def pids() -> list[int]:
    """The processes that have a socket, alive or not."""
    return sorted(int(path.stem) for path in directory().glob("*.sock") if path.stem.isdecimal())
