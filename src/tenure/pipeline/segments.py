"""The log of sealed events: append-only files of Arrow frames, each with a checksum, cut back where one is torn."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

import tenure
from tenure.pipeline.seal.keyring import Root

__all__ = ["Damage", "Frame", "Head", "Header", "Segment", "SegmentError", "SegmentWriter", "mend", "segments_in"]

MAGIC: Final = b"TENURE1\n"
#: Length and checksum of the header's text.
HEAD: Final = struct.Struct("<II")
MARK: Final = b"FRAM"
#: Mark, length, checksum of all that follows it, number, rows, earliest and latest event time.
FRAME: Final = struct.Struct("<4sIIIIqq")
CHECKED: Final = 12
#: What a frame of Arrow may need besides its columns.
OVERHEAD: Final = 8192


class SegmentError(Exception):
    """A segment that cannot be read: says which and where."""


@dataclass(frozen=True)
class Header:
    """What the first bytes of a segment say: under which keys, and which fields are values."""

    root: Root
    values: tuple[str, ...]
    schema: pa.Schema

    def packed(self) -> bytes:
        """As it stands in the file."""
        text = json.dumps(
            {
                "salt": self.root.salt.hex(),
                "key_id": self.root.key_id.hex(),
                "commitment": self.root.commitment.hex(),
                "values": self.values,
                "schema": self.schema.serialize().to_pybytes().hex(),
            }
        ).encode()
        return MAGIC + HEAD.pack(len(text), zlib.crc32(text)) + text


class Frame(NamedTuple):
    """One block of events as it stands in a segment."""

    path: Path
    number: int
    header: Header
    batch: pa.RecordBatch


class Head(NamedTuple):
    """Where a frame's events lie in the file, and what its first bytes say of them."""

    at: int
    length: int
    number: int
    rows: int
    low: int
    high: int


class Damage(NamedTuple):
    """Where a segment stops being readable, and how much is left of it there."""

    path: Path
    at: int
    lost: int
    why: str


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
        return (_next_number(self.directory), 0) if self.file is None else (int(self.path.stem), self.number)

    def ready(self) -> None:
        """Make sure that what may be accepted next has its room; OSError if the disk has none."""
        if self.file is None or self.at >= self.limit:
            self.begin()
        if self.room < self.at + self.reserve:
            assert self.file is not None
            with self.file.lease() as fd:
                os.posix_fallocate(fd, self.at, 2 * self.reserve)
            self.room = self.at + 2 * self.reserve

    def begin(self) -> None:
        """A new segment, with its header; the one before it is full."""
        path = self.directory / f"{_next_number(self.directory):08d}.seg"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
        head = self.header.packed()
        file = tenure.open(os.open, str(path), flags, 0o600, release=os.close, kind="segment")
        try:
            with file.lease() as fd:
                os.posix_fallocate(fd, 0, len(head) + self.reserve)
                os.pwrite(fd, head, 0)
        except OSError:
            file.close()
            path.unlink(missing_ok=True)
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
    with tenure.open(os.open, str(directory), os.O_RDONLY, release=os.close, kind="directory") as opened:
        with opened.lease() as fd:
            os.fsync(fd)


def _write_at(fd: int, parts: list[memoryview], at: int) -> None:
    """Write all parts one after the other, beginning at ``at``."""
    while parts:
        done = os.pwritev(fd, parts, at)
        at += done
        while parts and done >= len(parts[0]):
            done -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][done:]


def segments_in(directory: Path) -> list[Path]:
    """Every segment, oldest first."""
    return sorted(directory.glob("[0-9]*.seg"))


def _next_number(directory: Path) -> int:
    """The number of a new segment."""
    found = segments_in(directory)
    return int(found[-1].stem) + 1 if found else 1


@dataclass
class Segment:
    """A segment as it is read: one walk over its frames, up to where it ends or stops being readable."""

    path: Path
    header: Header
    data: pa.Buffer
    start: int
    #: After the walk: where and why it ended.
    end: Damage | None = None

    @classmethod
    def of(cls, path: Path) -> Segment:
        """The segment in a file; the file is mapped, not read."""
        if not path.stat().st_size:
            raise SegmentError(f"{path} is empty")
        with contextlib.closing(pa.memory_map(str(path))) as file:
            data = file.read_buffer()
        header, start = _header_in(path, memoryview(data))
        return cls(path, header, data, start)

    def heads(self) -> Iterator[Head]:
        """Where each frame lies and what it says of itself, its checksum compared."""
        view, at, number = memoryview(self.data), self.start, 0
        while (why := _damaged(view, at, number)) is None:
            _, length, _, _, rows, low, high = FRAME.unpack_from(view, at)
            yield Head(at + FRAME.size, length, number, rows, low, high)
            at, number = at + FRAME.size + length, number + 1
        self.end = Damage(self.path, at, len(view) - at if why else 0, why)

    def frames(self) -> Iterator[Frame]:
        """Each frame."""
        for head in self.heads():
            yield Frame(self.path, head.number, self.header, self.batch(head))

    def batch(self, head: Head) -> pa.RecordBatch:
        """The events of one frame; they lie in the mapped file."""
        return pa.ipc.read_record_batch(self.data.slice(head.at, head.length), self.header.schema)


def _damaged(view: memoryview, at: int, number: int) -> str | None:
    """Why no frame can be read at ``at``: empty if the segment just ends there, None if one can be read."""
    if not any(view[at : at + FRAME.size]):
        return ""
    if len(view) - at < FRAME.size:
        return "a frame's first bytes are cut"
    mark, length, checksum, found, *_ = FRAME.unpack_from(view, at)
    if mark != MARK:
        return "no frame begins here"
    if len(view) - at - FRAME.size < length:
        return "a frame is cut"
    if zlib.crc32(view[at + CHECKED : at + FRAME.size + length]) != checksum:
        return "a frame's checksum does not fit"
    return None if found == number else f"frame {found} stands where frame {number} should"


def _header_in(path: Path, view: memoryview) -> tuple[Header, int]:
    """The header of a segment and where it ends."""
    start = len(MAGIC) + HEAD.size
    if bytes(view[: len(MAGIC)]) != MAGIC or len(view) < start:
        raise SegmentError(f"{path} does not begin as a segment does")
    length, checksum = HEAD.unpack_from(view, len(MAGIC))
    text = bytes(view[start : start + length])
    if len(text) != length or zlib.crc32(text) != checksum:
        raise SegmentError(f"{path}: the header is damaged")
    said = json.loads(text)
    root = Root(*(bytes.fromhex(said[name]) for name in ("salt", "key_id", "commitment")))
    schema = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(said["schema"])))
    return Header(root, tuple(said["values"]), schema), start + length


def mend(path: Path) -> Damage | None:
    """Cut the segment that was being written back to its last whole frame; what had to go, if anything.

    One whose header never got whole is put aside under another name: nothing is ever deleted here.
    """
    try:
        segment = Segment.of(path)
    except SegmentError as error:
        path.rename(path.with_suffix(".damaged"))
        return Damage(path, 0, path.with_suffix(".damaged").stat().st_size, str(error))
    for _ in segment.heads():
        pass
    end = segment.end
    assert end is not None
    del segment
    os.truncate(path, end.at)
    return end if end.lost else None
