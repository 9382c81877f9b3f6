"""From a full block to what outlives the process: the log first, then the windows, then the results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

import tenure
from tenure.pipeline.block import batch_of
from tenure.pipeline.books import Books
from tenure.pipeline.intake import Intake
from tenure.pipeline.results import Checkpoint, Place, Progress, Results, ResultsUnavailable
from tenure.pipeline.segments import SegmentWriter
from tenure.pipeline.settings import Keep
from tenure.pipeline.windows import Result, Windows

__all__ = ["Commit", "Keeper"]

#: Rows the windows wait for: adding many at once costs a third of adding them block by block.
GATHERED: Final = 32768


@dataclass(frozen=True)
class Commit:
    """What is to be written to the results in one go."""

    closed: Sequence[Result]
    checkpoint: Checkpoint
    still_open: Sequence[Result] = ()


@dataclass
class Keeper:
    """Takes rows from the intake and keeps them.

    Invariant: a row is in ``unwritten`` or in the log, never in both and never in neither.
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
    unsaved: list[Result] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether the block should be stored before more is taken."""
        return self.intake.rows >= self.keep.block_rows or self.intake.size >= self.keep.block_bytes

    def store(self) -> None:
        """Write what the intake has collected to the log, and make room for what comes next.

        A disk without room refuses new events until there is some; what was taken before waits here.
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
        if idle or self.gathered_rows >= GATHERED:
            self.aggregate()

    def write(self, batch: pa.RecordBatch, marks: npt.NDArray[np.int64]) -> None:
        """One block into the log."""
        before = self.segments.written
        self.segments.append(batch)
        self.books.stored += batch.num_rows
        self.books.stored_bytes += self.segments.written - before
        self.books.frames += 1
        self.gathered.append((batch, marks))
        self.gathered_rows += batch.num_rows

    def aggregate(self) -> None:
        """Add what was written to the windows."""
        if self.gathered:
            gathered, self.gathered, self.gathered_rows = self.gathered, [], 0
            whole = pa.concat_batches([batch for batch, _ in gathered])
            self.windows.add(whole, np.concatenate([marks for _, marks in gathered]))

    def sync(self) -> None:
        """Force the log onto the disk; may be called from another thread."""
        try:
            self.segments.sync()
        except tenure.errors.ClosedHandle:
            # The segment was full and has just been closed, which syncs it.
            pass
        self.books.syncs += 1

    def due(self, *, last: bool = False) -> Commit | None:
        """The next commit, if there is anything to commit."""
        self.aggregate()
        self.unsaved += self.windows.close()
        if not self.unsaved and not last:
            return None
        streams = [
            Progress(name, stream.high, stream.closed_before, stream.late)
            for name, stream in self.windows.streams.items()
        ]
        closed, self.unsaved = self.unsaved, []
        return Commit(closed, Checkpoint(self.place(), streams), self.windows.still_open() if last else ())

    def place(self) -> Place:
        """Where the next frame will stand in the log."""
        if self.segments.file is None:
            return Place(self.segments.next_number, 0)
        return Place(int(self.segments.path.stem), self.segments.number)

    def commit(self, commit: Commit) -> None:
        """Write to the results, after the log they rest on; may be called from another thread."""
        self.sync()
        try:
            self.results.commit(commit.closed, commit.checkpoint, commit.still_open)
        except ResultsUnavailable:
            self.books.commits_put_off += 1
            self.unsaved = [*commit.closed, *self.unsaved]
            return
        self.books.commits += 1
        self.books.windows_closed += len({(r.stream, r.tenant, r.start) for r in commit.closed})
