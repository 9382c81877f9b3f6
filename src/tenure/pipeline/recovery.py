"""What a server must know before it goes on: read from the log and the results its predecessor left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tenure.pipeline.event import unpacked
from tenure.pipeline.opening import Opener, columns_of
from tenure.pipeline.results import Checkpoint
from tenure.pipeline.segments import Damage, Frame, Header, mend, put_aside, read_segments, segments_in
from tenure.pipeline.succession import Misplaced, followed
from tenure.pipeline.windows import Result, Stream, Windows

__all__ = ["Marks", "Recovered", "mark_reader", "recover"]

Marks = Callable[[Frame, npt.NDArray[np.int64]], npt.NDArray[np.int64]]


@dataclass
class Recovered:
    """What was found."""

    #: Last id and length of each stream.
    tails: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    events: int = 0
    damage: list[Damage] = field(default_factory=list)
    #: What stands in the log twice or out of order. It is told, and is in the windows all the same.
    misplaced: list[Misplaced] = field(default_factory=list)
    #: Windows that were closed on the way and are not in the results yet.
    closed: list[Result] = field(default_factory=list)


def recover(
    directory: Path, checkpoint: Checkpoint, windows: Windows, marks: Marks, known: Callable[[Header, str], object]
) -> Recovered:
    """Mend the log, then go through it: ids and lengths of all, and again into the windows what is not in the results.

    ``known`` raises if a segment was sealed under another master key.
    """
    found = Recovered()
    for name, high, closed_before, late in checkpoint.streams:
        windows.streams[name] = Stream(high, closed_before, late)
    for frame in followed(_frames(directory, found, known), found.misplaced):
        _count_tails(frame.batch, found)
        after = (int(frame.path.stem), frame.number) >= checkpoint.place
        rows = np.arange(frame.batch.num_rows) if after else np.flatnonzero(_unclosed(frame.batch, windows))
        if len(rows):
            windows.add(_fitted(frame.batch.take(pa.array(rows)), windows.columns), marks(frame, rows))
            found.closed += windows.results(windows.close())
    return found


def _frames(directory: Path, found: Recovered, known: Callable[[Header, str], object]) -> Iterator[Frame]:
    """Every frame of the log; the newest segment is mended first, for only there a write can be torn."""
    paths = segments_in(directory)
    torn = mend(paths[-1]) if paths else None
    found.damage += [torn] if torn else []
    before = len(found.damage)
    for segment in read_segments(directory, found.damage):
        known(segment.header, segment.path.name)
        yield from segment.frames()
    for unreadable in [damage for damage in found.damage[before:] if damage.at == 0]:
        put_aside(unreadable.path)


def _fitted(batch: pa.RecordBatch, columns: list[str]) -> pa.RecordBatch:
    """The columns that windows look at; a value the log had no column for yet is missing."""
    there = set(batch.schema.names)
    missing = pa.nulls(batch.num_rows, pa.float64())
    return pa.record_batch([batch.column(n) if n in there else missing for n in columns], names=columns)


def _count_tails(batch: pa.RecordBatch, found: Recovered) -> None:
    """Note the last id and the length of each stream in the batch."""
    found.events += batch.num_rows
    streams = batch.column("stream").dictionary_encode()
    codes, ms, seq = streams.indices.to_numpy(), batch.column("ms").to_numpy(), batch.column("seq").to_numpy()
    for code, name in enumerate(streams.dictionary.to_pylist()):
        rows = np.flatnonzero(codes == code)
        before = found.tails.get(name, (0, 0, 0))
        last = max((int(ms[rows].max()), int(seq[rows[ms[rows] == ms[rows].max()]].max())), before[:2])
        found.tails[name] = *last, before[2] + len(rows)


def _unclosed(batch: pa.RecordBatch, windows: Windows) -> npt.NDArray[np.bool_]:
    """Which events of a frame that the results know belong to windows they do not have yet."""
    streams = batch.column("stream").dictionary_encode()
    known = [windows.streams.get(name, Stream()).closed_before for name in streams.dictionary.to_pylist()]
    borders = np.asarray(known, dtype=np.int64)[streams.indices.to_numpy()]
    times = batch.column("time").cast(pa.int64()).to_numpy()
    return np.asarray(times >= borders)


def mark_reader(opener: Opener, counted: bytes) -> Marks:
    """Reads the field whose distinct values are counted back out of the sealed records."""

    def marks(frame: Frame, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        columns = columns_of(frame)
        found = np.zeros(len(rows), dtype=np.int64)
        chosen = rows.tolist()
        for at, (row, secret) in enumerate(zip(chosen, opener.secrets(frame, columns, chosen), strict=True)):
            words = unpacked(columns.texts[2][row]) + unpacked(secret)
            for name, value in zip(words[::2], words[1::2], strict=True):
                if name == counted:
                    found[at] = hash(value)
        return found

    return marks
