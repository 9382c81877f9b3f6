"""SQL over what is kept: the results' ``windows`` and, straight from the log, ``events``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

import tenure
from tenure.pipeline.assembly import RESULTS
from tenure.pipeline.segments import Damage, Frame, Segment, segments_in

__all__ = ["Answer", "ask", "frames_in"]

#: How often and how many seconds apart the results are tried while the server is writing to them.
TRIES: Final = 40
PAUSE: Final = 0.05


@dataclass(frozen=True)
class Answer:
    """The rows of a query and what their columns are called."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def frames_in(directory: Path, damage: list[Damage] | None = None) -> Iterator[Frame]:
    """Every frame of the log that can be read; what cannot is added to ``damage``."""
    for path in segments_in(directory):
        segment = Segment.of(path)
        yield from segment.frames()
        if damage is not None and segment.end is not None and segment.end.lost:
            damage.append(segment.end)


def ask(directory: Path, statement: str) -> Answer:
    """The answer to one statement. ``windows`` and ``events`` are read only, also while a server writes."""
    with (
        tenure.open(duckdb.connect, release=duckdb.DuckDBPyConnection.close, kind="query") as handle,
        handle.lease() as connection,
    ):
        _attach(connection, directory / RESULTS)
        events = _event_table(directory)
        connection.register("events", events)
        answer = connection.execute(statement)
        columns = [column[0] for column in answer.description or ()]
        return Answer(columns, answer.fetchall())


def _attach(connection: duckdb.DuckDBPyConnection, results: Path) -> None:
    """Make the results' view known under its own name; waits while the server commits."""
    if not results.exists():
        return
    for attempt in range(TRIES):
        try:
            connection.execute(f"ATTACH '{str(results).replace(chr(39), chr(39) * 2)}' AS results (READ_ONLY)")
            break
        except duckdb.IOException:
            if attempt == TRIES - 1:
                raise
            time.sleep(PAUSE)
    connection.execute("CREATE VIEW windows AS SELECT * FROM results.windows")


def _event_table(directory: Path) -> pa.Table | pa.RecordBatchReader:
    """All events of the log as one table; it lies in the mapped files."""
    batches = [frame.batch for frame in frames_in(directory)]
    return pa.Table.from_batches(batches) if batches else pa.table({"stream": pa.array([], pa.utf8())})
