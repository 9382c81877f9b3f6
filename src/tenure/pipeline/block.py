"""Sealed events on their way to the disk, column by column, as the buffers Arrow will be given."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

__all__ = ["BYTES", "NUMBERS", "Block", "Buffers", "Row", "batch_of", "schema_of"]

#: The columns of numbers and how each is packed, then the columns of bytes. The values stand between them.
NUMBERS: Final = {"ms": "Q", "seq": "Q", "time": "q", "epoch": "I", "key": "I", "counter": "Q"}
BYTES: Final = ("stream", "tenant", "rest", "sealed")

TYPES: Final = {
    "ms": pa.uint64(),
    "seq": pa.uint64(),
    "time": pa.timestamp("ms"),
    "epoch": pa.uint32(),
    "key": pa.uint32(),
    "counter": pa.uint64(),
    "stream": pa.utf8(),
    "tenant": pa.utf8(),
    "rest": pa.binary(),
    "sealed": pa.binary(),
}


class Row(NamedTuple):
    """One sealed event."""

    numbers: tuple[int, int, int, int, int, int]
    values: tuple[float, ...]
    #: Stream, tenant, the packed rest, and what is sealed.
    texts: tuple[bytes, bytes, bytes, bytes]
    mark: int


@dataclass(frozen=True)
class Buffers:
    """A finished block, one buffer for each column of numbers, two (ends and data) for each of bytes."""

    rows: int
    numbers: Sequence[bytes]
    values: Sequence[bytes]
    ends: Sequence[bytes]
    data: Sequence[bytes]
    #: For each event a hash of the field whose distinct values are counted; it is not kept.
    marks: bytes


@dataclass
class Block:
    """Rows as they are collected; the definition of what the native one does."""

    width: int
    rows: int = 0
    size: int = 0
    numbers: list[bytearray] = field(init=False)
    values: list[bytearray] = field(init=False)
    ends: list[bytearray] = field(init=False)
    data: list[bytearray] = field(init=False)
    marks: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.rows = self.size = 0
        self.numbers = [bytearray() for _ in NUMBERS]
        self.values = [bytearray() for _ in range(self.width)]
        self.ends = [bytearray(4) for _ in BYTES]
        self.data = [bytearray() for _ in BYTES]
        self.marks = bytearray()

    def append(self, row: Row) -> None:
        """One more event."""
        for column, pack, number in zip(self.numbers, NUMBERS.values(), row.numbers, strict=True):
            column += struct.pack(f"<{pack}", number)
        for column, value in zip(self.values, row.values, strict=True):
            column += struct.pack("<d", value)
        for end, column, text in zip(self.ends, self.data, row.texts, strict=True):
            column += text
            end += struct.pack("<i", len(column))
            self.size += len(text)
        self.marks += struct.pack("<q", row.mark)
        self.rows += 1

    def take(self) -> Buffers:
        """What was collected; the block is empty again."""
        taken = Buffers(
            self.rows,
            [bytes(column) for column in self.numbers],
            [bytes(column) for column in self.values],
            [bytes(column) for column in self.ends],
            [bytes(column) for column in self.data],
            bytes(self.marks),
        )
        self.clear()
        return taken


@cache
def schema_of(values: tuple[str, ...]) -> pa.Schema:
    """The columns of a segment whose events have these values."""
    numbers = [pa.field(name, TYPES[name], nullable=False) for name in NUMBERS]
    middle = [pa.field(name, pa.float64()) for name in values]
    return pa.schema([*numbers, *middle, *(pa.field(name, TYPES[name], nullable=False) for name in BYTES)])


def batch_of(buffers: Buffers, values: tuple[str, ...]) -> pa.RecordBatch:
    """The same rows as Arrow sees them; the buffers are not copied. A missing value is null."""
    rows = buffers.rows
    numbers = [
        pa.Array.from_buffers(TYPES[name], rows, [None, pa.py_buffer(data)])
        for name, data in zip(NUMBERS, buffers.numbers, strict=True)
    ]
    middle = [pa.array(np.frombuffer(data, "<f8"), from_pandas=True) for data in buffers.values]
    texts = [
        pa.Array.from_buffers(TYPES[name], rows, [None, pa.py_buffer(ends), pa.py_buffer(data)])
        for name, ends, data in zip(BYTES, buffers.ends, buffers.data, strict=True)
    ]
    return pa.RecordBatch.from_arrays([*numbers, *middle, *texts], schema=schema_of(values))
