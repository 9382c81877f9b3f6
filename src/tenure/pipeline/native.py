"""The native intake and reader of marks, as the Python ones are; which of the two run is chosen here, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tenure.pipeline.block import BYTES, NUMBERS, Buffers
from tenure.pipeline.event import REFUSALS, not_a_number
from tenure.pipeline.intake import Intake, Order, PythonIntake
from tenure.pipeline.opening import Opener, columns_of
from tenure.pipeline.recovery import Marks, mark_reader
from tenure.pipeline.resp import error
from tenure.pipeline.segments import Frame

__all__ = ["CHOICE", "IntakeUnavailable", "NativeIntake", "make_intake", "make_mark_reader", "native_mark_reader"]

#: The environment variable that asks for one of them.
CHOICE: Final = "TENURE_INTAKE"
#: In the order of `enum meaning`.
MEANINGS: Final = ("tenant", "time", "value", "secret")

Ints = npt.NDArray[np.int64]
T = TypeVar("T")


class IntakeUnavailable(ImportError):
    """The native intake was asked for and cannot be had."""


class NativeIntake:
    """Does what PythonIntake says, in C: reads, seals and collects all that came together under one lease a key."""

    def __init__(self, order: Order) -> None:
        from tenure.pipeline import _native

        self.inner = _native.Intake(
            meant=[(name, MEANINGS.index(part), place) for name, (part, place) in order.plan.meaning.items()],
            counted=order.plan.counted,
            values=len(order.plan.names.values),
            bulk=order.limits.bulk,
            args=order.limits.args,
            request=order.limits.request,
            keyring=order.keyring,
            clock=order.clock,
            answer=order.answer,
            refusals=[error(text) for text in (*REFUSALS.values(), *map(not_a_number, order.plan.names.values))],
            library=order.keyring.libcrypto.path,
            records_per_key=order.records_per_key,
            max_keys=order.max_keys,
            max_streams=order.max_streams,
            ahead=order.ahead,
        )
        self.feed = self.inner.feed
        self.rotate, self.tail, self.resume = self.inner.rotate, self.inner.tail, self.inner.resume

    @property
    def rows(self) -> int:
        """Rows in the block."""
        return self.inner.rows

    @property
    def size(self) -> int:
        """About how many bytes they will need."""
        return self.inner.size

    @property
    def sealed(self) -> int:
        """Events sealed."""
        return self.inner.sealed

    @property
    def sealed_bytes(self) -> int:
        """Their secret bytes."""
        return self.inner.sealed_bytes

    @property
    def seal_seconds(self) -> float:
        """Time spent sealing them."""
        return self.inner.seal_ns / 1e9

    @property
    def requests(self) -> int:
        """Requests answered."""
        return self.inner.requests

    @property
    def protocol_errors(self) -> int:
        """Broken requests."""
        return self.inner.protocol_errors

    @property
    def refusal(self) -> bytes:
        """While this is not empty every event is refused with it."""
        return self.inner.refusal

    @refusal.setter
    def refusal(self, reply: bytes) -> None:
        self.inner.refusal = reply

    def take(self) -> Buffers:
        """The rows sealed since the last time."""
        return Buffers(*self.inner.take())


def native_mark_reader(opener: Opener, counted: bytes) -> Marks:
    """Does what ``mark_reader`` says, in C: all rows of a frame that have one key are opened under one lease."""
    from tenure.pipeline import _native

    def marks(frame: Frame, rows: Ints) -> Ints:
        found = np.zeros(len(rows), dtype=np.int64)
        columns = _buffers(frame)
        for name, places in _by_key(frame.batch, rows):
            chosen, out = rows[places], np.zeros(len(places), dtype=np.int64)
            where = f"{frame.path.name}, frame {frame.number}, row {chosen[0]}"
            key = opener.key(frame.header, *name, where)
            with key.lease() as view:
                done = _native.marks(
                    opener.libcrypto.path, view, counted, frame.batch.num_rows, *columns, chosen.data, out.data
                )
            if done < len(chosen):
                opener.secret(frame, columns_of(frame), int(chosen[done]))  # which says why it is refused
            found[places] = out
        return found

    return marks


def _by_key(batch: pa.RecordBatch, rows: Ints) -> Iterator[tuple[tuple[bytes, int, int], Ints]]:
    """Which places of ``rows`` have one key: tenant, epoch and serial of it."""
    tenants = batch.column("tenant").dictionary_encode()
    owners, epochs, serials = (
        column.to_numpy()[rows] for column in (tenants.indices, batch.column("epoch"), batch.column("key"))
    )
    order = np.lexsort((serials, epochs, owners))
    changes = [np.diff(column[order]) != 0 for column in (owners, epochs, serials)]
    for places in np.split(order, np.flatnonzero(np.logical_or.reduce(changes)) + 1):
        first = places[0]
        tenant = tenants.dictionary[int(owners[first])].as_py().encode()
        yield (tenant, int(epochs[first]), int(serials[first])), places


def _buffers(frame: Frame) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Any, ...], tuple[Any, ...]]:
    """A frame's columns as C reads them: numbers, values (a missing one is NaN), and the texts' ends and data."""
    batch = frame.batch
    numbers = tuple(batch.column(name).to_numpy() for name in NUMBERS)
    values = tuple(np.ascontiguousarray(batch.column(n).to_numpy(zero_copy_only=False)) for n in frame.header.values)
    texts = [batch.column(name) for name in BYTES]
    ends = tuple(np.frombuffer(text.buffers()[1], "<i4")[text.offset :] for text in texts)
    return numbers, values, ends, tuple(text.buffers()[2] or b"" for text in texts)


def _chosen(native: Callable[[], T], python: Callable[[], T]) -> T:
    """The native one where it was built, unless the environment asks for the other."""
    asked = os.environ.get(CHOICE, "")
    if asked not in ("", "native", "python"):
        raise IntakeUnavailable(f"{CHOICE} is {asked!r}; it can be 'native' or 'python'")
    if asked == "python":
        return python()
    try:
        return native()
    except ImportError as error:
        if asked == "native":
            raise IntakeUnavailable(f"{CHOICE}=native, but: {error}") from error
        return python()


def make_intake(order: Order) -> Intake:
    """The intake of this process."""
    native: Callable[[], Intake] = partial(NativeIntake, order)
    return _chosen(native, partial(PythonIntake, order))


def make_mark_reader(opener: Opener, counted: bytes) -> Marks:
    """The reader of marks of this process."""
    return _chosen(partial(native_mark_reader, opener, counted), partial(mark_reader, opener, counted))
