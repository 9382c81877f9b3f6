"""The log of sealed events as it is written: frames at the end of the newest file, whose room is taken before."""

from __future__ import annotations

import fcntl
import os
import struct
import zlib
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

import tenure
from tenure.pipeline.segments import MARK, Header, next_number

__all__ = ["LogInUse", "SegmentWriter", "claimed"]


#: How the name of a segment ends that has no header yet.
UNNAMED: Final = ".new"


class LogInUse(Exception):
    """Another process writes to the directory: says which directory."""


@dataclass
class SegmentWriter:
    """Appends frames to the newest segment, and begins another when it is full.

    Room for the next frames is taken from the file system before their events are accepted, so that an event which
    was acknowledged can always be written.
    """

    directory: Path
    header: Header
    limit: int
    reserve: int
    #: The least number a new segment may have: those before it may be in an archive.
    least: int = 1
    path: Path = field(init=False)
    file: tenure.Handle[int] | None = field(default=None, init=False)
    at: int = field(default=0, init=False)
    room: int = field(default=0, init=False)
    number: int = field(default=0, init=False)
    written: int = field(default=0, init=False)
    #: Full segments and where each ends, to be finished by the next sync, which may be in another thread.
    full: deque[tuple[tenure.Handle[int], int]] = field(default_factory=deque, init=False)
    #: Whether a segment's name may not be on the disk yet.
    unlisted: bool = field(default=False, init=False)

    @property
    def place(self) -> tuple[int, int]:
        """Where the next frame will stand: the number of its segment, and its own."""
        return (self.next, 0) if self.file is None else (int(self.path.stem), self.number)

    @property
    def next(self) -> int:
        """The number of the next segment."""
        return max(next_number(self.directory), self.least)

    def ready(self) -> None:
        """Make sure that what may be accepted next has its room; OSError if the disk has none."""
        if self.file is None or (self.number > 0 and self.at >= self.limit):
            self.begin()
        if self.room < self.at + self.reserve:
            assert self.file is not None
            with self.file.lease() as fd:
                os.posix_fallocate(fd, self.at, 2 * self.reserve)
            self.room = self.at + 2 * self.reserve

    def begin(self) -> None:
        """A new segment, which has its name once it has its header; the one before it is full."""
        path = self.directory / f"{self.next:08d}.seg"
        unnamed = path.with_suffix(UNNAMED)
        for left in self.directory.glob(f"[0-9]*{UNNAMED}"):  # by a process that was killed here; nothing is in it
            left.unlink()
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        head = self.header.packed()
        file = tenure.open(os.open, str(unnamed), flags, 0o600, release=os.close, kind="segment")
        try:
            with file.lease() as fd:
                os.posix_fallocate(fd, 0, len(head) + self.reserve)
                os.pwrite(fd, head, 0)
            unnamed.rename(path)
        except OSError:
            file.close()
            unnamed.unlink(missing_ok=True)
            raise
        if self.file is not None:
            self.full.append((self.file, self.at))
        self.path, self.unlisted = path, True
        self.file, self.at, self.room, self.number = file, len(head), len(head) + self.reserve, 0

    def append(self, batch: pa.RecordBatch) -> None:
        """Write a frame; it is in the hands of the operating system when this returns."""
        if self.file is None:
            self.ready()
        assert self.file is not None
        payload = memoryview(batch.serialize())
        times = batch.column("time").cast(pa.int64())
        low, high = times.to_numpy().min(), times.to_numpy().max()
        rest = struct.pack("<IIqq", self.number, batch.num_rows, low, high)
        head = MARK + struct.pack("<II", len(payload), zlib.crc32(payload, zlib.crc32(rest))) + rest
        with self.file.lease() as fd:
            _write_at(fd, [memoryview(head), payload], self.at)
        self.at += len(head) + len(payload)
        self.number += 1
        self.written += len(head) + len(payload)

    def sync(self) -> None:
        """Force everything written so far onto the disk; may be called from another thread."""
        file = self.file
        if self.unlisted:
            self.unlisted = False
            _sync_names(self.directory)
        while self.full:
            full, at = self.full.popleft()
            _finish(full, at)
            # Filled and followed by another since this began: it needs no second sync.
            file = None if file is full else file
        if file is not None:
            with file.lease() as fd:
                os.fdatasync(fd)

    def close(self) -> None:
        """Give back the room that was not needed, sync, and close."""
        if self.file is not None:
            self.full.append((self.file, self.at))
            self.file = None
        self.sync()


def _finish(file: tenure.Handle[int], at: int) -> None:
    """Give back the room behind the last frame of a segment, sync, and close."""
    with file, file.lease() as fd:
        os.ftruncate(fd, at)
        os.fsync(fd)


def _sync_names(directory: Path) -> None:
    """Force the names of the files in a directory onto the disk."""
    with _opened(directory) as handle, handle.lease() as fd:
        os.fsync(fd)


def _opened(directory: Path) -> tenure.Handle[int]:
    """A directory, opened."""
    return tenure.open(os.open, str(directory), os.O_RDONLY | os.O_DIRECTORY, release=os.close, kind="directory")


def claimed(directory: Path) -> tenure.Handle[int]:
    """The directory, for this process alone until the handle is closed or the process is gone."""
    handle = _opened(directory)
    try:
        with handle.lease() as fd:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise LogInUse(
            f"{directory} is in use by another server; stop it, or choose another [keep] directory"
        ) from None
    return handle


def _write_at(fd: int, parts: list[memoryview], at: int) -> None:
    """Write all parts one after the other, beginning at ``at``."""
    while parts:
        done = os.pwritev(fd, parts, at)
        at += done
        while parts and done >= len(parts[0]):
            done -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][done:]
