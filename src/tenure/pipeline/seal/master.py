"""The master key: made once into a file nobody else can read, and read from there straight into locked memory."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import tenure
from tenure.pipeline.seal.libcrypto import KEY

__all__ = ["MasterKeyError", "make_master_key", "read_master_key"]


class MasterKeyError(Exception):
    """The file of the master key cannot be used: says which, why, and what to do."""


def make_master_key(path: Path) -> None:
    """A new random master key in a new file that only its owner can read."""
    with tenure.SecretBuffer(KEY) as secret, secret.lease() as view:
        random = Path("/dev/urandom")
        with _opened(random) as source, source.lease() as fd:
            _fill(random, fd, view)
        with _new_file(path) as file, file.lease() as fd:
            if os.write(fd, view) != KEY:
                raise MasterKeyError(f"{path}: the key could not be written whole")
            os.fsync(fd)
    with _opened(path.parent) as directory, directory.lease() as fd:
        os.fsync(fd)


def _new_file(path: Path) -> tenure.Handle[int]:
    """A file that was not there, for its owner only."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return tenure.open(os.open, str(path), flags, 0o600, release=os.close, kind="key file")
    except FileExistsError as error:
        raise MasterKeyError(
            f"{path} exists already. Whatever was sealed under it needs it: move it away if you really want a new one."
        ) from error


def read_master_key(path: Path) -> tenure.SecretBuffer:
    """The master key in ``path``. It never becomes ``bytes`` or ``str``: the kernel writes it into locked memory."""
    with _opened(path) as file, file.lease() as fd:
        _check(path, os.fstat(fd))
        secret = tenure.SecretBuffer(KEY)
        try:
            with secret.lease() as view:
                _fill(path, fd, view)
        except BaseException:
            secret.close()
            raise
    return secret


def _opened(path: Path) -> tenure.Handle[int]:
    """The file of the key. A pipe in its place is opened, and refused, without waiting for whoever would fill it."""
    try:
        return tenure.open(os.open, str(path), os.O_RDONLY | os.O_NONBLOCK, release=os.close, kind="key file")
    except OSError as error:
        raise MasterKeyError(f"{path}: {error.strerror}. Make one with: tenure pipeline init") from error


def _check(path: Path, found: os.stat_result) -> None:
    """Refuse what cannot be a key that only its owner knows. It is the opened file that is looked at."""
    if not stat.S_ISREG(found.st_mode):
        raise MasterKeyError(f"{path} is no file, so no master key is in it")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise MasterKeyError(
            f"{path} has mode {stat.S_IMODE(found.st_mode):04o}: others can read it. "
            f"Say: chmod 600 {path}, and think of the key as known to whoever could."
        )
    if found.st_size != KEY:
        raise MasterKeyError(f"{path} has {found.st_size} bytes, a master key has {KEY}")


def _fill(path: Path, fd: int, view: memoryview) -> None:
    """Fill the view with the next bytes of a file, which go nowhere else."""
    if os.readv(fd, [view]) != len(view):
        raise MasterKeyError(f"{path}: too short")
