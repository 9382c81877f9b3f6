"""The results: closed windows in a DuckDB file, and with them how far in the log they reach, in one transaction."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb
import pyarrow as pa

import tenure
from tenure.pipeline.windows import Result

__all__ = ["Checkpoint", "Place", "Progress", "Results", "ResultsUnavailable", "ResultsUnreadable"]

NUMBER: Final = pa.float64()
COLUMNS: Final = {
    "stream": pa.utf8(),
    "tenant": pa.utf8(),
    "field": pa.utf8(),
    "start": pa.timestamp("ms"),
    "end": pa.timestamp("ms"),
    "events": pa.int64(),
    "count": pa.int64(),
    **dict.fromkeys(("sum", "min", "max", "mean", "p50", "p90", "p99", "distinct"), NUMBER),
}
TABLE: Final = """(
    stream VARCHAR, tenant VARCHAR, field VARCHAR, start TIMESTAMP, "end" TIMESTAMP, events BIGINT, count BIGINT,
    sum DOUBLE, min DOUBLE, max DOUBLE, mean DOUBLE, p50 DOUBLE, p90 DOUBLE, p99 DOUBLE, "distinct" DOUBLE)"""
LAYOUT: Final = (
    f"CREATE TABLE IF NOT EXISTS closed_windows {TABLE}",
    f"CREATE TABLE IF NOT EXISTS open_windows {TABLE}",
    "CREATE TABLE IF NOT EXISTS streams (stream VARCHAR PRIMARY KEY, high BIGINT, closed_before BIGINT, late BIGINT)",
    "CREATE TABLE IF NOT EXISTS place (segment BIGINT, frame BIGINT)",
    """CREATE OR REPLACE VIEW windows AS
       SELECT *, true AS closed FROM closed_windows UNION ALL SELECT *, false AS closed FROM open_windows""",
)


#: What a commit may take beside the server: it writes little, and the server's memory should stay as it is.
MODEST: Final = {"threads": 1, "memory_limit": "128MB"}
#: How often and how many seconds apart a start tries to open results that somebody reads.
TRIES: Final = 40
PAUSE: Final = 0.05


class ResultsUnavailable(Exception):
    """The results cannot be written just now: somebody reads them, or the disk is full. What was to come waits."""


class ResultsUnreadable(Exception):
    """The file of the results cannot be opened: says why, and what can be done."""


class Place(NamedTuple):
    """A place in the log: the first frame that is *not* in the results yet."""

    segment: int
    frame: int


class Progress(NamedTuple):
    """How far one stream has come."""

    stream: str
    high: int
    closed_before: int
    late: int


@dataclass(frozen=True)
class Checkpoint:
    """What the results say about the log: where they end, and how far event time had come there."""

    place: Place = field(default_factory=lambda: Place(0, 0))
    streams: Sequence[Progress] = field(default_factory=tuple)


@dataclass(frozen=True)
class Results:
    """The file of the results. It is open only while it is used, so that others can read between two commits."""

    path: Path

    def commit(self, closed: Sequence[Result], checkpoint: Checkpoint, still_open: Sequence[Result] = ()) -> None:
        """Add closed windows and move the checkpoint, both or neither."""
        try:
            self.committed(closed, checkpoint, still_open)
        except duckdb.Error as error:
            raise ResultsUnavailable(f"{self.path}: {error}") from error

    def committed(self, closed: Sequence[Result], checkpoint: Checkpoint, still_open: Sequence[Result]) -> None:
        """The transaction."""
        with self.connected() as handle, handle.lease() as connection:
            connection.execute("BEGIN")
            _insert(connection, "closed_windows", closed)
            connection.execute("DELETE FROM open_windows")
            _insert(connection, "open_windows", still_open)
            connection.execute("DELETE FROM place")
            connection.execute("INSERT INTO place VALUES (?, ?)", list(checkpoint.place))
            if checkpoint.streams:
                connection.executemany("INSERT OR REPLACE INTO streams VALUES (?, ?, ?, ?)", _rows(checkpoint.streams))
            connection.execute("COMMIT")

    def checkpoint(self) -> Checkpoint:
        """Where the last commit was; lays the tables out in a new file. Waits a while for whoever reads it."""
        for _ in range(TRIES - 1):
            with contextlib.suppress(duckdb.IOException):
                return self.read()
            time.sleep(PAUSE)
        try:
            return self.read()
        except (duckdb.Error, ValueError, TypeError) as error:
            raise ResultsUnreadable(
                f"{self.path} cannot be opened: {error}. If nobody else has it open, move it away: "
                "the results are made anew from the log."
            ) from error

    def read(self) -> Checkpoint:
        """What the file says, laid out if it is new."""
        with self.connected() as handle, handle.lease() as connection:
            for statement in LAYOUT:
                connection.execute(statement)
            place = connection.execute("SELECT segment, frame FROM place").fetchone() or (0, 0)
            streams = connection.execute("SELECT stream, high, closed_before, late FROM streams").fetchall()
        return Checkpoint(Place(*place), [Progress(*row) for row in streams])

    def connected(self) -> tenure.Handle[duckdb.DuckDBPyConnection]:
        """The file, opened."""
        return tenure.open(
            duckdb.connect, str(self.path), False, MODEST, release=duckdb.DuckDBPyConnection.close, kind="results"
        )


def _rows(things: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Tuples as DuckDB wants its parameters."""
    return [list(thing) for thing in things]


def _insert(connection: duckdb.DuckDBPyConnection, table: str, results: Sequence[Result]) -> None:
    """Add results to a table of that layout."""
    if results:
        columns = zip(*results, strict=True)
        found = pa.table([pa.array(c, type=t) for c, t in zip(columns, COLUMNS.values(), strict=True)], list(COLUMNS))
        connection.register("incoming", found)
        connection.execute(f"INSERT INTO {table} SELECT * FROM incoming")
        connection.unregister("incoming")
