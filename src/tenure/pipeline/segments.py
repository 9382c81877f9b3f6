"""The log of sealed events as it is read: files of Arrow frames, each with a checksum, cut back where one is torn."""

from __future__ import annotations

import contextlib
import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
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
        """Each frame. One whose events cannot be read, though its checksum fits, is where the segment ends."""
        for head in self.heads():
            try:
                batch = self.batch(head)
            except (pa.ArrowException, OSError, EOFError, ValueError) as error:
                at = head.at - FRAME.size
                self.end = Damage(self.path, at, len(memoryview(self.data)) - at, f"a frame holds no events: {error}")
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
