"""Sealed records, opened again: the keys are derived anew, and whatever is not as it was sealed is refused."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import pyarrow as pa

import tenure
from tenure.pipeline.block import NUMBERS
from tenure.pipeline.event import unpacked
from tenure.pipeline.seal.keyring import commitment, data_key, extract, key_id
from tenure.pipeline.seal.libcrypto import Libcrypto, NotSealedHere
from tenure.pipeline.seal.record import bound, nonce
from tenure.pipeline.segments import Frame, Header

__all__ = ["Columns", "Opened", "Opener", "RecordRefused", "WrongKey", "columns_of"]

#: Keys kept between two records, each a slot of locked memory.
KEPT: Final = 256

KeyName = tuple[bytes, bytes, int, int]
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

    numbers: list[pa.Array]
    values: list[pa.Array]
    texts: list[pa.Array]


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
            if commitment(self.libcrypto, found, header.values) != root.commitment:
                found.close()
                raise WrongKey(f"{where}: the header's commitment does not fit the key it names")
            self.roots[name] = found
        return found

    def key(self, header: Header, tenant: bytes, epoch: int, serial: int, where: str) -> tenure.SecretBuffer:
        """The key of one record."""
        name = (header.root.salt, tenant, epoch, serial)
        root_key = self.root(header, where)
        found = self.keys.get(name)
        if found is None:
            found = self.keys[name] = data_key(self.libcrypto, root_key, tenant, epoch, serial)
            if len(self.keys) > KEPT:
                self.keys.popitem(last=False)[1].close()
        return found

    def secret(self, frame: Frame, columns: Columns, row: int) -> bytes:
        """The secret fields of one row, packed."""
        ms, seq, time, epoch, serial, counter = (column[row].as_py() for column in columns.numbers)
        values = [column[row].as_py() for column in columns.values]
        stream, tenant, rest, sealed = (column[row].as_py() for column in columns.texts)
        where = f"{frame.path.name}, frame {frame.number}, row {row}"
        covered = bound(stream, tenant, (ms, seq, time), [float("nan") if v is None else v for v in values], rest)
        key = self.key(frame.header, tenant, epoch, serial, where)
        try:
            with key.lease() as view:
                return self.libcrypto.open(view, nonce(epoch, counter), covered, sealed)
        except NotSealedHere as error:
            raise RecordRefused(f"{where}: refused, {error}") from error

    def opened(self, frame: Frame) -> Iterator[Opened]:
        """The events of a frame, up to one that is refused."""

        def stop(refused: RecordRefused) -> None:
            raise refused

        return self.readable(frame, stop)

    def readable(self, frame: Frame, refuse: Callable[[RecordRefused], object]) -> Iterator[Opened]:
        """The events of a frame without those that are refused; ``refuse`` hears of each."""
        columns = columns_of(frame)
        for row in range(frame.batch.num_rows):
            try:
                secret = self.secret(frame, columns, row)
            except RecordRefused as refused:
                refuse(refused)
                continue
            ms, seq, time = (column[row].as_py() for column in columns.numbers[:3])
            stream, tenant, rest, _ = (column[row].as_py() for column in columns.texts)
            yield Opened(
                stream.decode(),
                tenant.decode(),
                f"{ms}-{seq}",
                time,
                {name: column[row].as_py() for name, column in zip(frame.header.values, columns.values, strict=True)},
                _paired(rest),
                _paired(secret),
            )


def columns_of(frame: Frame) -> Columns:
    """The columns of a frame as numbers and bytes."""
    batch = frame.batch
    numbers = [batch.column(name).cast(pa.int64()) if name == "time" else batch.column(name) for name in NUMBERS]
    values = [batch.column(name) for name in frame.header.values]
    texts = [batch.column(name).cast(pa.binary()) for name in ("stream", "tenant", "rest", "sealed")]
    return Columns(numbers, values, texts)


def _paired(data: bytes) -> dict[str, str]:
    """Packed names and values as text."""
    words = [word.decode("utf-8", "backslashreplace") for word in unpacked(data)]
    return dict(zip(words[::2], words[1::2], strict=True))
