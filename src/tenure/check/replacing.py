"""A file is replaced whole or not at all: a full disk must not leave half of what somebody wrote."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from pathlib import Path

__all__ = ["replace"]


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of the file, or make it; rights stay, and a link still leads to it."""
    target = Path(os.path.realpath(path))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    if target.exists() and not target.is_file():
        target.write_bytes(content)  # a device, such as /dev/stdout, is written to
        return
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(handle, "wb") as file:
            file.write(content)
        if target.exists():
            shutil.copymode(target, name)
        else:
            os.chmod(name, 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    """What a new file's rights are kept from; the system tells it only to who sets it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
