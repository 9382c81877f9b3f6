"""From the log into the windows: nothing piles up between the two, however long it goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.pipeline.conftest import order_for

from tenure.pipeline.block import Block, Row, batch_of, schema_of
from tenure.pipeline.books import Books
from tenure.pipeline.intake import PythonIntake
from tenure.pipeline.keeper import GATHERED, Keeper
from tenure.pipeline.results import Results
from tenure.pipeline.seal.keyring import Keyring
from tenure.pipeline.segments import Header
from tenure.pipeline.settings import Keep
from tenure.pipeline.windows import Windows
from tenure.pipeline.writer import SegmentWriter

ROWS = 4096
MARKS = np.zeros(ROWS, dtype=np.int64)


def batch() -> pa.RecordBatch:
    block = Block(1)
    for number in range(ROWS):
        tenant = b"t%d" % (number % 100)
        block.append(Row((number, 0, 1000, 1, 1, number), (1.0,), (b"ev", tenant, b"", b"x" * 20), 0))
    return batch_of(block.take(), ("v",))


@pytest.fixture
def keeper(here: Path, keyring: Keyring) -> Keeper:
    """One whose log begins in an empty directory."""
    header = Header(keyring.root, ("v",), schema_of(("v",)))
    return Keeper(
        Keep(),
        PythonIntake(order_for(keyring)),
        SegmentWriter(here, header, 1 << 30, 1 << 20),
        Windows(60_000, 0, ("v",)),
        Results(here / "results.duckdb"),
        Books(),
    )


def test_what_waits_for_the_windows_stays_as_it_is_however_many_rounds_there_are(keeper: Keeper) -> None:
    block = batch()
    waiting = []
    for _ in range(200):
        keeper.write(block, MARKS)
        if keeper.folding is not None or keeper.gathered_rows >= GATHERED:
            keeper.keep_up()
        waiting.append(keeper.gathered_rows)
    keeper.segments.close()
    assert max(waiting[100:]) == max(waiting[:100]) < 2 * GATHERED


def test_what_was_kept_up_with_is_in_the_windows_in_the_end(keeper: Keeper) -> None:
    for _ in range(3):
        keeper.write(batch(), MARKS)
    while keeper.keep_up():
        pass
    keeper.segments.close()
    assert (keeper.windows.events, keeper.gathered_rows, keeper.folding) == (3 * ROWS, 0, None)
