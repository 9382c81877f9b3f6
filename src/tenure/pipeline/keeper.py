"""From a full block to what outlives the process: the log first, then the windows, then the results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tenure.pipeline.block import batch_of
from tenure.pipeline.books import Books
from tenure.pipeline.intake import Intake
from tenure.pipeline.results import Checkpoint, Place, Progress, Results, ResultsUnavailable
from tenure.pipeline.settings import Keep
from tenure.pipeline.windows import Filled, Result, Windows
from tenure.pipeline.writer import SegmentWriter

__all__ = ["Commit", "Keeper"]

#: Rows the windows wait for: adding many at once costs a third of adding them block by block.
GATHERED: Final = 32768
#: For each so many rows that wait one more step of folding is due, so that it keeps up with any number of clients.
PACE: Final = 8192


@dataclass(frozen=True)
class Commit:
    """What is to be written to the results in one go."""

    closed: Sequence[Filled]
    checkpoint: Checkpoint
    still_open: Sequence[Filled] = ()


@dataclass
class Keeper:
    """Takes rows from the intake and keeps them.

    Invariant: a row is in ``unwritten`` or in the log, never in both and never in neither. ``sync`` and ``commit`` are
    called in one other thread; ``unsaved`` is theirs.
    """

    keep: Keep
    intake: Intake
    segments: SegmentWriter
    windows: Windows
    results: Results
    books: Books
    unwritten: list[tuple[pa.RecordBatch, npt.NDArray[np.int64]]] = field(default_factory=list)
    gathered: list[tuple[pa.RecordBatch, npt.NDArray[np.int64]]] = field(default_factory=list)
    gathered_rows: int = 0
    folding: Iterator[None] | None = None
    unsaved: list[Result] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether the block should be stored before more is taken."""
        return self.intake.rows >= self.keep.block_rows or self.intake.size >= self.keep.block_bytes

    def store(self) -> bool:
        """Write what the intake has collected to the log, and make room for what comes next.

        A disk without room refuses new events until there is some; what was taken before waits here. The answer is
        whether enough was written to be folded into the windows.
        """
        idle = not self.intake.rows
        if not idle:
            buffers = self.intake.take()
            batch = batch_of(buffers, self.segments.header.values)
            self.unwritten.append((batch, np.frombuffer(buffers.marks, "<i8")))
        try:
            while self.unwritten:
                self.write(*self.unwritten[0])
                del self.unwritten[0]
            self.segments.ready()
            self.intake.refusal = b""
        except OSError as error:
            self.books.store_failures += 1
            self.intake.refusal = b"-ERR the log has no room: %b; nothing is accepted until it has\r\n" % (
                (error.strerror or "unknown").encode()
            )
        return bool(self.gathered) and (idle or self.gathered_rows >= GATHERED)

    def write(self, batch: pa.RecordBatch, marks: npt.NDArray[np.int64]) -> None:
        """One block into the log."""
        before = self.segments.written
        self.segments.append(batch)
        self.books.stored += batch.num_rows
        self.books.stored_bytes += self.segments.written - before
        self.books.frames += 1
        self.gathered.append((batch.select(self.windows.columns), marks))
        self.gathered_rows += batch.num_rows

    def fold(self) -> bool:
        """One small step of adding what was written to the windows; whether another is needed."""
        if self.folding is None:
            gathered, self.gathered, self.gathered_rows = self.gathered, [], 0
            if not gathered:
                return False
            whole = pa.concat_batches([batch for batch, _ in gathered])
            self.folding = self.windows.folding(whole, np.concatenate([marks for _, marks in gathered]))
        for _ in self.folding:
            return True
        self.folding = None
        return False

    def keep_up(self) -> bool:
        """The steps due between two rounds of requests: the more, the more rows wait behind. Whether more are needed.

        Invariant: what waits is in proportion to what comes in a round, however many rounds there are.
        """
        behind = self.gathered_rows if self.folding is not None else 0
        return all(self.fold() for _ in range(1 + behind // PACE))

    def aggregate(self) -> None:
        """All steps at once."""
        while self.folding is not None or self.gathered:
            self.fold()

    def sync(self) -> None:
        """Force the log onto the disk."""
        self.segments.sync()
        self.books.syncs += 1

    def due(self, *, last: bool = False) -> Commit | None:
        """The next commit, if there is anything to commit."""
        self.aggregate()
        closed = self.windows.close()
        if not closed and not self.unsaved and not last:
            return None
        streams = [
            Progress(name, stream.high, stream.closed_before, stream.late)
            for name, stream in self.windows.streams.items()
        ]
        place = Place(*self.segments.place)
        return Commit(closed, Checkpoint(place, streams), self.windows.still_open() if last else ())

    def commit(self, commit: Commit) -> bool:
        """Write to the results, after the log they rest on. Whether they took it; if not it goes with the next one."""
        self.sync()
        self.unsaved += self.windows.results(commit.closed)
        still_open = list(self.windows.results(commit.still_open))
        try:
            self.results.commit(self.unsaved, commit.checkpoint, still_open)
        except ResultsUnavailable:
            self.books.commits_put_off += 1
            return False
        self.books.commits += 1
        self.books.windows_closed += len({(r.stream, r.tenant, r.start) for r in self.unsaved})
        self.unsaved = []
        return True
