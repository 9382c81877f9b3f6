"""Tumbling windows of event time: what happened to each tenant of a stream in each stretch of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import datasketches
import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["QUANTILES", "Filled", "Result", "Stream", "Window", "Windows"]

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
#: Accuracy: quantiles within 1.65 % of rank (KLL, k = 200), distinct counts within 1.6 % (HLL, 2^12 registers).
KLL_K: Final = 200
HLL_LG_K: Final = 12
#: What one step of folding takes at most, so that whoever waits for it waits well under a millisecond.
STEP_ROWS: Final = 1024
STEP_GROUPS: Final = 64

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Result(NamedTuple):
    """One window as it is kept, for one of its value fields."""

    stream: str
    tenant: str
    field: str
    start: int
    end: int
    #: All events of the window, and those that had this value.
    events: int
    valued: int
    sum: float | None
    min: float | None
    max: float | None
    mean: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    distinct: float


class _Measure:
    """The values of one field in one window."""

    __slots__ = ("count", "max", "min", "sketch", "sum")

    def __init__(self) -> None:
        self.count, self.sum = 0, 0.0
        self.min, self.max = float("inf"), float("-inf")
        self.sketch = datasketches.kll_doubles_sketch(KLL_K)

    def add(self, values: Floats, count: int, total: float, least: float, most: float) -> None:
        """More values, and what was found of them already; NaN among them is a missing one."""
        self.count += count
        self.sum += total
        self.min = min(self.min, least)
        self.max = max(self.max, most)
        self.sketch.update(values if count == len(values) else values[~np.isnan(values)])

    def shown(self) -> dict[str, Any]:
        """Count, sum, min, max, mean and the quantiles; nothing but the count if there was no value."""
        names = ("valued", "sum", "min", "max", "mean", *QUANTILES)
        if not self.count:
            return dict.fromkeys(names, None) | {"valued": 0}
        quantiles = [float(q) for q in self.sketch.get_quantiles(list(QUANTILES.values()))]
        found = (self.count, self.sum, self.min, self.max, self.sum / self.count, *quantiles)
        return dict(zip(names, found, strict=True))


class Window:
    """What one tenant did in one stretch of time."""

    __slots__ = ("distinct", "events", "measures")

    def __init__(self, fields: int) -> None:
        self.events = 0
        self.distinct = datasketches.hll_sketch(HLL_LG_K)
        self.measures = [_Measure() for _ in range(fields)]

    def add(self, marks: list[int]) -> None:
        """More events, by their marks: 0 where there is none."""
        self.events += len(marks)
        for mark in set(marks):
            if mark:
                self.distinct.update(mark)


class Filled(NamedTuple):
    """A window and whose it is; once it is closed nothing is added to it, so that another thread may work on it."""

    stream: str
    tenant: str
    start: int
    window: Window


class _Column:
    """One field's values, group by group, and what each group adds up to: found for all groups at once."""

    def __init__(self, values: Floats, starts: Ints) -> None:
        missing = np.isnan(values)
        self.values = values
        self.count = np.add.reduceat((~missing).astype(np.int64), starts).tolist()
        self.sum = np.add.reduceat(np.where(missing, 0.0, values), starts).tolist()
        self.min = np.minimum.reduceat(np.where(missing, np.inf, values), starts).tolist()
        self.max = np.maximum.reduceat(np.where(missing, -np.inf, values), starts).tolist()

    def add_to(self, measure: _Measure, group: int, low: int, high: int) -> None:
        """One group's values into a window."""
        if self.count[group]:
            found = self.count[group], self.sum[group], self.min[group], self.max[group]
            measure.add(self.values[low:high], *found)


@dataclass
class Stream:
    """How far event time has come in one stream."""

    high: int = -1
    #: Every window that ends here or before is closed.
    closed_before: int = 0
    late: int = 0
    open: dict[tuple[int, str], Window] = field(default_factory=dict)


@dataclass
class Windows:
    """Every open window. An event whose window is closed already is late: counted, and not added. So is one that would
    open a window more than there may be.

    Invariant: as long as there is room, what comes out depends on the order of the events only, never on how they were
    cut into batches.
    """

    width: int
    lateness: int
    fields: tuple[str, ...]
    #: How many windows may be open. Whoever may send events may name tenants, and each costs a few kilobytes.
    most: int = 1 << 32
    streams: dict[str, Stream] = field(default_factory=dict)
    events: int = 0
    open: int = 0
    #: Events there was no window for.
    windowless: int = 0

    @property
    def late(self) -> int:
        """Events that came after their window was closed."""
        return sum(stream.late for stream in list(self.streams.values()))

    @property
    def columns(self) -> list[str]:
        """The columns of a batch that are looked at."""
        return ["stream", "tenant", "time", *self.fields]

    def add(self, batch: pa.RecordBatch, marks: Ints) -> None:
        """The events of a batch, in their order."""
        for _ in self.folding(batch, marks):
            pass

    def folding(self, batch: pa.RecordBatch, marks: Ints) -> Iterator[None]:
        """The same in small steps. Between two of them anything may be done but to close windows or to fold others."""
        self.events += batch.num_rows
        streams = batch.column("stream").dictionary_encode()
        times = batch.column("time").cast(pa.int64()).to_numpy()
        tenants = batch.column("tenant").dictionary_encode()
        values = [batch.column(name).to_numpy(zero_copy_only=False) for name in self.fields]
        names = tenants.dictionary.to_pylist()
        owners = tenants.indices.to_numpy()
        yield
        order, borders = _grouped(streams.indices.to_numpy())
        for name, chosen in zip(streams.dictionary.to_pylist(), np.split(order, borders[1:]), strict=True):
            stream = self.streams.setdefault(name, Stream())
            kept = chosen[self.in_time(stream, times[chosen])]
            if len(kept):
                spans = times[kept] // self.width
                grouped, starts = _grouped((spans - spans.min()) * len(names) + owners[kept])
                rows = kept[grouped]
                starts = np.union1d(starts, np.arange(0, len(rows), STEP_ROWS))
                yield
                places = [(int(times[row]), names[owners[row]]) for row in rows[starts]]
                columns = [_Column(column[rows], starts) for column in values]
                yield from self.fold_groups(stream, places, starts, columns, marks[rows])
            yield

    def fold_groups(
        self, stream: Stream, places: list[tuple[int, str]], starts: Ints, columns: list[_Column], marks: Ints
    ) -> Iterator[None]:
        """Rows that lie group by group, each beginning at its start, into the windows of their time and tenant."""
        borders = [*starts.tolist(), len(marks)]
        for group, (time, tenant) in enumerate(places):
            low, high = borders[group], borders[group + 1]
            window = self.window(stream, time // self.width * self.width, tenant)
            if window is None:
                self.windowless += high - low
            else:
                window.add(marks[low:high].tolist())
                for column, measure in zip(columns, window.measures, strict=True):
                    column.add_to(measure, group, low, high)
            if high % STEP_ROWS == 0 or group % STEP_GROUPS == 0:
                yield

    def in_time(self, stream: Stream, times: Ints) -> npt.NDArray[np.bool_]:
        """Which events are not late; the stream's time moves on."""
        highs = np.maximum(np.maximum.accumulate(times), stream.high)
        ends = times - times % self.width + self.width
        in_time = ends > np.maximum(highs - self.lateness, stream.closed_before)
        stream.high = int(highs[-1])
        stream.late += int(len(times) - in_time.sum())
        return np.asarray(in_time)

    def window(self, stream: Stream, start: int, tenant: str) -> Window | None:
        """The window of a tenant that begins at ``start``, if it is open or may be opened."""
        found = stream.open.get((start, tenant))
        if found is None and self.open < self.most:
            found = stream.open[start, tenant] = Window(len(self.fields))
            self.open += 1
        return found

    def close(self) -> list[Filled]:
        """Evict and return every window whose time is over."""
        filled: list[Filled] = []
        for name, stream in self.streams.items():
            border = max(stream.high - self.lateness, 0)
            stream.closed_before = max(stream.closed_before, border - border % self.width)
            over = [key for key in stream.open if key[0] + self.width <= stream.closed_before]
            filled += [Filled(name, tenant, start, stream.open.pop((start, tenant))) for start, tenant in sorted(over)]
        self.open -= len(filled)
        return filled

    def still_open(self) -> list[Filled]:
        """The open windows as they are by now; they stay open."""
        return [
            Filled(name, tenant, start, window)
            for name, stream in self.streams.items()
            for (start, tenant), window in sorted(stream.open.items(), key=lambda item: item[0])
        ]

    def results(self, filled: Iterable[Filled]) -> Iterator[Result]:
        """One result for each window and value field; a window of a pipeline without values has one without a field."""
        for stream, tenant, start, window in filled:
            distinct = round(window.distinct.get_estimate(), 3)
            measures = list(zip(self.fields, window.measures, strict=True)) or [("", _Measure())]
            for name, measure in measures:
                place = (stream, tenant, name, start, start + self.width)
                yield Result(*place, events=window.events, **measure.shown(), distinct=distinct)


def _grouped(keys: Ints) -> tuple[Ints, Ints]:
    """The places of the keys group by group, each in their order, and where each group begins."""
    # Keys of 16 bits are sorted by their digits, in a fifth of the time that comparing them takes.
    small = keys.astype(np.uint16) if keys.max() < 1 << 16 else keys
    order = np.argsort(small, kind="stable")
    borders = np.flatnonzero(np.diff(keys[order])) + 1
    return order, np.concatenate(([0], borders))
