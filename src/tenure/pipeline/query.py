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
from tenure.pipeline.block import schema_of
from tenure.pipeline.segments import Damage, Frame, read_segments
from tenure.pipeline.succession import Misplaced, followed

__all__ = ["Answer", "NothingAsked", "NothingKept", "ask", "frames_in"]

#: How often and how many seconds apart the results are tried while the server is writing to them.
TRIES: Final = 40
PAUSE: Final = 0.05


class NothingKept(Exception):
    """What was asked for is not there: says what, where, and where it would come from."""


class NothingAsked(Exception):
    """There is no statement in the text: it is empty, or only a comment."""


@dataclass(frozen=True)
class Answer:
    """The rows of a query and what their columns are called."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def frames_in(directory: Path, damage: list[Damage] | None = None) -> Iterator[Frame]:
    """Every frame of the log that can be read; what cannot is added to ``damage``."""
    if not directory.is_dir():
        raise NothingKept(f"{directory} is not there: no server has kept anything in it ([keep] directory, or --data)")
    for segment in read_segments(directory, [] if damage is None else damage):
        yield from segment.frames()


def ask(directory: Path, statement: str, flaws: list[Damage | Misplaced] | None = None) -> Answer:
    """The answer to one statement; to ``flaws`` goes what cannot be read of the log, or cannot stand where it does.

    ``windows`` and ``events`` are read only, also while a server writes."""
    with (
        tenure.open(duckdb.connect, release=duckdb.DuckDBPyConnection.close, kind="query") as handle,
        handle.lease() as connection,
    ):
        # What is no SQL is said before the log is gone through.
        if not connection.extract_statements(statement):
            raise NothingAsked("there is no statement in what was asked")
        _attach(connection, directory / RESULTS)
        events = _event_table(directory, [] if flaws is None else flaws)
        connection.register("log", events)
        # DuckDB 2.0.1 has epoch_ms, epoch_us and epoch fail on a TIMESTAMP_MS, which is what the log's times are.
        connection.execute("CREATE TEMP VIEW events AS SELECT * REPLACE (time::TIMESTAMP AS time) FROM log")
        try:
            answer = connection.execute(statement)
        except duckdb.CatalogException as error:
            if "windows" not in str(error) or (directory / RESULTS).exists():
                raise
            raise NothingKept(
                f"there are no windows in {directory}: a server makes them when it runs, also from a log that is there"
            ) from error
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


def _event_table(directory: Path, flaws: list[Damage | Misplaced]) -> pa.Table:
    """All events of the log as one table that lies in the mapped files; a value that a segment lacks is null there."""
    by_schema: dict[pa.Schema, list[pa.RecordBatch]] = {}
    damage: list[Damage] = []
    misplaced: list[Misplaced] = []
    for frame in followed(frames_in(directory, damage), misplaced):
        by_schema.setdefault(frame.batch.schema, []).append(frame.batch)
    flaws += (*damage, *misplaced)
    tables = [pa.Table.from_batches(batches) for batches in by_schema.values()]
    return pa.concat_tables(tables, promote_options="default") if tables else schema_of(()).empty_table()
