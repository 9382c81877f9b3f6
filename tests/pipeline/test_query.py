"""Questions about the log: a time is the same whichever way DuckDB is asked for it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from tenure.cli import main
from tenure.pipeline.block import Block, Row, batch_of, schema_of
from tenure.pipeline.event import LATEST
from tenure.pipeline.query import NothingAsked, NothingKept, ask
from tenure.pipeline.seal.keyring import Root
from tenure.pipeline.segments import Header
from tenure.pipeline.writer import SegmentWriter

FIRST = datetime(1970, 1, 1)
#: Before 1970 (no client can say so, a log could), the borders of seconds, of 32 and 53 bits, of what nanoseconds can
#: hold, of leap days, and the first and last moments of year 9999.
EDGES = [0, 1, 999, 1000, -1, -999, -1000, -86_400_001, (1 << 31) * 1000 - 1, (1 << 31) * 1000, (1 << 53) // 1000]
EDGES += [9_223_372_036_854, 9_223_372_036_855, 951_782_399_999, 951_782_400_000, LATEST - 31_535_999_999, LATEST]


@pytest.fixture
def times(here: Path) -> list[int]:
    """A log of events at these times, numbered."""
    times = [*EDGES, *(random.Random(1).randrange(LATEST) for _ in range(2000))]
    block = Block(0)
    for number, time in enumerate(times):
        block.append(Row((number, 0, time, 1, 1, number), (), (b"ev", b"t", b"", b"x" * 16), 0))
    log = SegmentWriter(here, Header(Root(b"s" * 32, b"k" * 8, b"c" * 32), (), schema_of(())), 1 << 30, 1 << 20)
    log.ready()
    log.append(batch_of(block.take(), ()))
    log.close()
    return times


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("time", lambda ms: FIRST + timedelta(milliseconds=ms)),
        ("epoch_ms(time)", lambda ms: ms),
        ("epoch_us(time)", lambda ms: ms * 1000),
        ("epoch(time)", lambda ms: ms / 1000),
        ("year(time)", lambda ms: (FIRST + timedelta(milliseconds=ms)).year),
        ("date_trunc('second', time)", lambda ms: FIRST + timedelta(seconds=ms // 1000)),
        ("time = make_timestamp_ms(epoch_ms(time))", lambda ms: True),
    ],
)
def test_a_time_is_what_it_was_however_it_is_asked_for(here: Path, times: list[int], asked: str, expected) -> None:  # type: ignore[no-untyped-def]
    found = ask(here, f"SELECT {asked} FROM events ORDER BY ms").rows
    assert [row[0] for row in found] == [expected(ms) for ms in times]


def test_times_are_compared_as_times(here: Path, times: list[int]) -> None:
    found = ask(here, "SELECT count(*) FROM events WHERE time >= '9999-01-01' OR time < '1970-01-01'").rows
    assert found == [(sum(ms < 0 or ms >= 253_370_764_800_000 for ms in times),)]


def test_who_asks_where_nothing_is_kept_is_told_so(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in (["query", "SELECT count(*) FROM events"], ["query", "SELECT 1"]):
        assert main(["pipeline", *part, "--data", str(here / "nowhere")]) == 2
        assert f"{here / 'nowhere'} is not there: no server has kept anything in it" in capsys.readouterr().err


def test_who_asks_for_windows_before_a_server_has_run_is_told_who_makes_them(here: Path, times: list[int]) -> None:
    with pytest.raises(NothingKept, match="a server makes them when it runs"):
        ask(here, "SELECT * FROM windows")
    with pytest.raises(duckdb.CatalogException, match="nothing"):
        ask(here, "SELECT * FROM nothing")


@pytest.mark.parametrize("statement", ["", "  ;", "-- nothing"])
def test_nothing_that_is_asked_is_said(here: Path, statement: str) -> None:
    with pytest.raises(NothingAsked, match="there is no statement in what was asked"):
        ask(here, statement)
