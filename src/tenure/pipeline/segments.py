"""The log of sealed events as it is read: files of Arrow frames, each with a checksum, cut back where one is torn."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from tenure.pipeline.block import BYTES, NUMBERS, schema_of
from tenure.pipeline.seal.keyring import Root

__all__ = [
    "Damage",
    "Frame",
    "Head",
    "Header",
    "Segment",
    "SegmentError",
    "mend",
    "next_number",
    "put_aside",
    "read_segments",
    "segments_in",
]

MAGIC: Final = b"TENURE1\n"
#: Length and checksum of the header's text.
HEAD: Final = struct.Struct("<II")
MARK: Final = b"FRAM"
#: Mark, length, checksum of all that follows it, number, rows, earliest and latest event time.
FRAME: Final = struct.Struct("<4sIIIIqq")
CHECKED: Final = 12
#: How much of a frame is read at once to compare its checksum.
PIECE: Final = 1 << 20


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

    def __str__(self) -> str:
        where = f"{self.path.name} ends at byte {self.at}" if self.at else f"{self.path.name} is left out"
        return f"{where}, {self.lost:,} bytes are lost: {self.why}"


def segments_in(directory: Path) -> list[Path]:
    """Every segment, oldest first."""
    return sorted(directory.glob("[0-9]*.seg"))


def next_number(directory: Path) -> int:
    """The number of a new segment; no number is used twice, not even that of one that was put aside."""
    return max((int(path.name.partition(".")[0]) for path in directory.glob("[0-9]*.*")), default=0) + 1


@dataclass
class Segment:
    """A segment as it is read: one walk over its frames, up to where it ends or stops being readable.

    Its server may cut the file while others read it, and mapped bytes that are cut away kill whoever looks at them.
    Invariant: only what lies in a whole frame is looked at in the map, for that is never cut away; all else is read.
    """

    path: Path
    header: Header
    data: pa.Buffer
    start: int
    #: After the walk: where and why it ended.
    end: Damage | None = None

    @classmethod
    def of(cls, path: Path) -> Segment:
        """The segment in a file; its frames are mapped."""
        with open(path, "rb", buffering=0) as file:
            header, start = _header_in(path, file)
        with contextlib.closing(pa.memory_map(str(path))) as mapped:
            return cls(path, header, mapped.read_buffer(), start)

    def heads(self) -> Iterator[Head]:
        """Where each frame lies and what it says of itself, its checksum compared."""
        at, number = self.start, 0
        with open(self.path, "rb", buffering=0) as file:
            while isinstance(found := _head_at(file, at, len(memoryview(self.data)), number), Head):
                yield found
                at, number = found.at + found.length, number + 1
            self.end = Damage(self.path, at, _lost(file, at) if found else 0, found)

    def frames(self) -> Iterator[Frame]:
        """Each frame. One whose events cannot be read, though its checksum fits, is where the segment ends."""
        for head in self.heads():
            try:
                batch = self.batch(head)
            except (pa.ArrowException, OSError, EOFError, ValueError) as error:
                at = head.at - FRAME.size
                lost = len(memoryview(self.data)) - at
                self.end = Damage(self.path, at, lost, f"a frame holds no events: {error}")
                return
            yield Frame(self.path, head.number, self.header, batch)

    def batch(self, head: Head) -> pa.RecordBatch:
        """The events of one frame; they lie in the mapped file, and nothing in them leads outside of it."""
        batch = pa.ipc.read_record_batch(self.data.slice(head.at, head.length), self.header.schema)
        batch.validate(full=True)
        if batch.num_rows != head.rows:
            raise ValueError(f"{batch.num_rows} rows where {head.rows} should be")
        missing = [name for name in (*NUMBERS, *BYTES) if batch.column(name).null_count]
        if missing:
            raise ValueError(f"{missing[0]} is missing in some rows")
        return batch


def _head_at(file: FileIO, at: int, end: int, number: int) -> Head | str:
    """What the frame at ``at`` says of itself; or why none can be read: empty if the segment just ends there."""
    first = os.pread(file.fileno(), FRAME.size, at)
    if not any(first):
        return ""
    if len(first) < FRAME.size:
        return "a frame's first bytes are cut"
    mark, length, checksum, found, rows, low, high = FRAME.unpack(first)
    if mark != MARK:
        return "no frame begins here"
    if end - at - FRAME.size < length:
        return "a frame is cut"
    seen = zlib.crc32(first[CHECKED:])
    for begin in range(at + FRAME.size, at + FRAME.size + length, PIECE):
        seen = zlib.crc32(os.pread(file.fileno(), min(PIECE, at + FRAME.size + length - begin), begin), seen)
    if seen != checksum:
        return "a frame's checksum does not fit"
    return (
        Head(at + FRAME.size, length, number, rows, low, high)
        if found == number
        else (f"frame {found} stands where frame {number} should")
    )


def _lost(file: FileIO, at: int) -> int:
    """How many bytes from ``at`` on were written, or were about to be; zeros behind them are room that was not used."""
    end = os.fstat(file.fileno()).st_size
    first = os.pread(file.fileno(), FRAME.size, at)
    if len(first) < FRAME.size:
        return max(end - at, 0)
    mark, length, *_ = FRAME.unpack(first)
    frame = min(end - at, FRAME.size + length) if mark == MARK else 0
    return max(frame, _written(file, at, end))


def _written(file: FileIO, at: int, end: int) -> int:
    """How many bytes from ``at`` to ``end`` there are without the zeros at their end."""
    while end > at:
        begin = max(at, end - PIECE)
        written = os.pread(file.fileno(), end - begin, begin).rstrip(b"\0")
        if written:
            return begin + len(written) - at
        end = begin
    return 0


def _header_in(path: Path, file: FileIO) -> tuple[Header, int]:
    """The header of a segment and where it ends."""
    start, size = len(MAGIC) + HEAD.size, os.fstat(file.fileno()).st_size
    if not size:
        raise SegmentError(f"{path} is empty")
    first = os.pread(file.fileno(), start, 0)
    if first[: len(MAGIC)] != MAGIC or len(first) < start:
        raise SegmentError(f"{path} does not begin as a segment does")
    length, checksum = HEAD.unpack_from(first, len(MAGIC))
    text = os.pread(file.fileno(), min(length, size), start)
    if len(text) != length or zlib.crc32(text) != checksum:
        raise SegmentError(f"{path}: the header is damaged")
    try:
        said = json.loads(text)
        root = Root(*(bytes.fromhex(said[name]) for name in ("salt", "key_id", "commitment")))
        schema = pa.ipc.read_schema(pa.py_buffer(bytes.fromhex(said["schema"])))
        header = Header(root, tuple(said["values"]), schema)
        if not schema.equals(schema_of(header.values)):
            raise ValueError(f"its columns are {', '.join(schema.names)}")
    except (ValueError, LookupError, TypeError, EOFError, OSError, pa.ArrowException) as error:
        raise SegmentError(f"{path}: the header is not that of a segment: {error}") from error
    return header, start + length


def read_segments(directory: Path, damage: list[Damage]) -> Iterator[Segment]:
    """Every segment, oldest first; walk over it before asking for the next. To ``damage`` goes what cannot be read."""
    for path in segments_in(directory):
        try:
            segment = Segment.of(path)
        except SegmentError as error:
            damage.append(Damage(path, 0, path.stat().st_size, str(error)))
            continue
        yield segment
        if segment.end is not None and segment.end.lost:
            damage.append(segment.end)


def put_aside(path: Path) -> Path:
    """Give a segment that cannot be read another name, one that is free; nothing is ever deleted here."""
    names = (path.with_suffix(".damaged" if not number else f".damaged-{number}") for number in count())
    free = next(name for name in names if not name.exists())
    return path.rename(free)


def mend(path: Path) -> Damage | None:
    """Cut the segment that was being written back to its last whole frame; what had to go, if anything."""
    try:
        segment = Segment.of(path)
    except SegmentError as error:
        return Damage(path, 0, put_aside(path).stat().st_size, str(error))
    for _ in segment.heads():
        pass
    end = segment.end
    assert end is not None
    del segment
    os.truncate(path, end.at)
    return end if end.lost else None
