"""Sealed records, opened again: the keys are derived anew, and whatever is not as it was sealed is refused."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

import tenure
from tenure.pipeline.block import BYTES, NUMBERS
from tenure.pipeline.event import unpacked
from tenure.pipeline.seal.keyring import commitment, data_key, extract, key_id
from tenure.pipeline.seal.libcrypto import Libcrypto, NotSealedHere
from tenure.pipeline.seal.record import bound, nonce
from tenure.pipeline.segments import Frame, Header
from tenure.pipeline.succession import Succession

__all__ = ["Columns", "Opened", "Opener", "RecordRefused", "WrongKey", "columns_of"]

#: Keys kept between two records, each a slot of locked memory.
KEPT: Final = 256
NAN: Final = float("nan")

KeyName = tuple[bytes, bytes, tuple[str, ...], bytes, int, int]
RootName = tuple[bytes, bytes, bytes, tuple[str, ...]]


class WrongKey(Exception):
    """The segment was sealed under another master key."""


class RecordRefused(Exception):
    """A record that is not as it was sealed: says which one, by segment, frame and row."""


class Opened(NamedTuple):
    """An event with its secret fields as they came in."""

    stream: str
    tenant: str
    id: str
    time: int
    values: dict[str, float | None]
    rest: dict[str, str]
    secret: dict[str, str]


class Columns(NamedTuple):
    """A frame's columns, ready to be asked row by row."""

    numbers: list[list[int]]
    values: list[list[float | None]]
    texts: list[list[bytes]]

    def record(self, row: int) -> tuple[bytes, bytes, bytes]:
        """A row's nonce, what it is bound to, and its sealed form."""
        ms, seq, time, epoch, _, counter = (column[row] for column in self.numbers)
        stream, tenant, rest, sealed = (column[row] for column in self.texts)
        values = [NAN if (value := column[row]) is None else value for column in self.values]
        return nonce(epoch, counter), bound(stream, tenant, (ms, seq, time), values, rest), sealed


@dataclass
class Opener:
    """Opens records under one master key; close it to wipe the keys it derived."""

    libcrypto: Libcrypto
    master: tenure.SecretBuffer
    roots: dict[RootName, tenure.SecretBuffer] = field(default_factory=dict)
    keys: OrderedDict[KeyName, tenure.SecretBuffer] = field(default_factory=OrderedDict)

    def __enter__(self) -> Opener:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Wipe every key."""
        for secret in (*self.keys.values(), *self.roots.values()):
            secret.close()
        self.keys.clear()
        self.roots.clear()

    def root(self, header: Header, where: str) -> tenure.SecretBuffer:
        """The root key of a segment, once its header has shown that this master key is the one."""
        root = header.root
        name = (root.salt, root.key_id, root.commitment, header.values)
        found = self.roots.get(name)
        if found is None:
            mine = key_id(self.libcrypto, self.master)
            if mine != root.key_id:
                raise WrongKey(
                    f"{where} was sealed under the master key {root.key_id.hex()}; the key file holds {mine.hex()}"
                )
            found = extract(self.libcrypto, root.salt, self.master)
            try:
                if commitment(self.libcrypto, found, header.values) != root.commitment:
                    raise WrongKey(f"{where}: the header's commitment does not fit the key it names")
            except BaseException:
                found.close()
                raise
            self.roots[name] = found
        return found

    def key(self, header: Header, tenant: bytes, epoch: int, serial: int, where: str) -> tenure.SecretBuffer:
        """The key of one record."""
        name = (header.root.salt, header.root.commitment, header.values, tenant, epoch, serial)
        found = self.keys.get(name)
        if found is None:
            root_key = self.root(header, where)
            found = self.keys[name] = data_key(self.libcrypto, root_key, tenant, epoch, serial)
            if len(self.keys) > KEPT:
                self.keys.popitem(last=False)[1].close()
        return found

    def secret(self, frame: Frame, columns: Columns, row: int) -> bytes:
        """The secret fields of one row, packed."""
        return self.secrets(frame, columns, [row])[0]

    def secrets(self, frame: Frame, columns: Columns, rows: Sequence[int]) -> list[bytes]:
        """The same for many rows; each key is leased once."""
        by_key: dict[tuple[bytes, int, int], list[int]] = {}
        for at, row in enumerate(rows):
            by_key.setdefault((columns.texts[1][row], columns.numbers[3][row], columns.numbers[4][row]), []).append(at)
        found = [b""] * len(rows)
        for (tenant, epoch, serial), places in by_key.items():
            key = self.key(frame.header, tenant, epoch, serial, f"{_place(frame)}, row {rows[places[0]]}")
            records = (columns.record(rows[at]) for at in places)
            done = 0
            try:
                with key.lease() as view:
                    for done, plain in enumerate(self.libcrypto.open_all(view, records), 1):
                        found[places[done - 1]] = plain
            except NotSealedHere as error:
                raise RecordRefused(f"{_place(frame)}, row {rows[places[done]]}: refused, {error}") from error
        return found

    def opened(self, frame: Frame) -> Iterator[Opened]:
        """The events of a frame, up to one that is refused."""
        columns = columns_of(frame)
        for row in range(frame.batch.num_rows):
            yield _event(frame, columns, row, self.secret(frame, columns, row))

    def readable(
        self, frame: Frame, refuse: Callable[[RecordRefused], object], succession: Succession
    ) -> Iterator[Opened]:
        """The events of the next frame of a log without those that are refused; ``refuse`` hears of each.

        A record that stands there twice, or behind a later one, is refused too; only records whose tags fit are asked
        which those are.
        """
        columns = columns_of(frame)
        secrets: dict[int, bytes] = {}
        for row in range(frame.batch.num_rows):
            try:
                secrets[row] = self.secret(frame, columns, row)
            except RecordRefused as refused:
                refuse(refused)
        for row in succession.misplaced(frame, np.fromiter(secrets, np.int64, len(secrets))).tolist():
            refuse(RecordRefused(f"{_place(frame)}, row {row}: refused, it stands there twice or out of order"))
            del secrets[row]
        for row, secret in secrets.items():
            yield _event(frame, columns, row, secret)


def _event(frame: Frame, columns: Columns, row: int, secret: bytes) -> Opened:
    """One row of a frame, with its secret fields as they came in."""
    ms, seq, time = (column[row] for column in columns.numbers[:3])
    stream, tenant, rest, _ = (column[row] for column in columns.texts)
    values = {name: column[row] for name, column in zip(frame.header.values, columns.values, strict=True)}
    return Opened(stream.decode(), tenant.decode(), f"{ms}-{seq}", time, values, _paired(rest), _paired(secret))


def columns_of(frame: Frame) -> Columns:
    """The columns of a frame as numbers and bytes."""
    batch = frame.batch
    numbers = [batch.column(name).cast(pa.int64()) if name == "time" else batch.column(name) for name in NUMBERS]
    values = [batch.column(name).to_pylist() for name in frame.header.values]
    texts = [batch.column(name).cast(pa.binary()).to_pylist() for name in BYTES]
    return Columns([column.to_numpy().tolist() for column in numbers], values, texts)


def _place(frame: Frame) -> str:
    """Where a frame is, as a person finds it."""
    return f"{frame.path.name}, frame {frame.number}"


def _paired(data: bytes) -> dict[str, str]:
    """Packed names and values as text."""
    words = [word.decode("utf-8", "backslashreplace") for word in unpacked(data)]
    return dict(zip(words[::2], words[1::2], strict=True))
