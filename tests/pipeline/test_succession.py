"""A row that stands in the log twice, or behind one that was sealed later, is found; what only lacks rows is not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.cli import main
from tenure.pipeline.block import Block, Row, batch_of, schema_of
from tenure.pipeline.query import frames_in
from tenure.pipeline.seal.keyring import Root
from tenure.pipeline.segments import Frame, Header, segments_in
from tenure.pipeline.succession import Misplaced, Succession, followed
from tenure.pipeline.writer import SegmentWriter

EVENT = {"tenant": "t", "v": "1", "secret": "hush"}
Sealed = tuple[int, int, int]


def frame(*rows: Sealed, salt: bytes = b"s" * 32, number: int = 0) -> Frame:
    """A frame whose rows have these epochs, keys and counters."""
    block = Block(1)
    for place, (epoch, key, counter) in enumerate(rows):
        block.append(Row((place, 0, 0, epoch, key, counter), (1.0,), (b"ev", b"t", b"", b"x" * 16), 0))
    header = Header(Root(salt, b"k" * 8, b"c" * 32), ("v",), schema_of(("v",)))
    return Frame(Path("7.seg"), number, header, batch_of(block.take(), ("v",)))


def misplaced(*frames: Frame) -> list[list[int]]:
    succession = Succession()
    return [succession.misplaced(each).tolist() for each in frames]


def test_rows_as_they_were_sealed_are_in_order() -> None:
    first = frame((1, 1, 0), (1, 2, 0), (1, 1, 1), (2, 3, 0), (2, 3, 1))
    assert misplaced(first, frame((2, 3, 2), (2, 4, 0), (3, 5, 0)), frame((1, 1, 0), salt=b"t" * 32)) == [[], [], []]


def test_rows_that_are_gone_are_none_of_it() -> None:
    assert misplaced(frame((3, 7, 41), (3, 7, 99)), frame((5, 9, 3))) == [[], []]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (((1, 1, 0), (1, 1, 0)), [1]),
        (((1, 1, 1), (1, 2, 0), (1, 1, 0)), [2]),
        (((1, 1, 0), (2, 2, 0), (1, 1, 1)), [2]),
        (((1, 1, 3), (1, 1, 1), (1, 1, 2), (1, 1, 4)), [1, 2]),
    ],
)
def test_a_row_that_is_there_twice_or_out_of_order_is_found(rows: tuple[Sealed, ...], found: list[int]) -> None:
    assert misplaced(frame(*rows)) == [found]


def test_a_frame_that_is_there_twice_is_found() -> None:
    first = frame((1, 1, 0), (1, 1, 1))
    assert misplaced(first, first) == [[], [0, 1]]


def test_a_segment_of_an_earlier_process_that_comes_again_is_found() -> None:
    first, second = frame((1, 1, 0)), frame((1, 1, 0), salt=b"t" * 32)
    assert misplaced(first, second, first, frame((1, 1, 1), salt=b"t" * 32)) == [[], [], [0], []]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 4)), max_size=12), st.integers(0, 12))
def test_how_a_log_is_cut_into_frames_does_not_matter(rows: list[Sealed], cut: int) -> None:
    whole = misplaced(frame(*rows))[0] if rows else []
    parts = [frame(*part) for part in (rows[:cut], rows[cut:]) if part]
    found, before = [], 0
    for part, places in zip(parts, misplaced(*parts), strict=True):
        found += [before + place for place in places]
        before += part.batch.num_rows
    assert found == whole


def test_frames_that_are_followed_come_as_they_are_and_the_first_row_is_named() -> None:
    wrong: list[Misplaced] = []
    frames = [frame((1, 1, 5)), frame((1, 1, 5), (1, 1, 6), (1, 1, 6), number=1)]
    assert list(followed(frames, wrong)) == frames
    assert [str(each) for each in wrong] == ["7.seg, frame 1: 2 rows stand there twice or out of order, first row 0"]
    assert str(Misplaced(Path("7.seg"), 2, wrong[0].rows[:1])) == (
        "7.seg, frame 2: 1 row stands there twice or out of order, first row 0"
    )


# By somebody who can write to the log, and makes every checksum fit.


@pytest.fixture
def stopped(start: Any) -> Any:
    """A server that took four events and stopped."""
    server = start('[keep]\ndirectory = "data"\n')
    with server.client() as client:
        for number in range(4):
            client.xadd("ev", EVENT | {"secret": f"s{number}"})
    assert server.stop() == 0
    return server


def with_rows(directory: Path, rows: list[int]) -> None:
    """The only segment anew, with these of its rows in one frame."""
    frames = list(frames_in(directory))
    table = pa.Table.from_batches([each.batch for each in frames])
    batch = table.take(rows).combine_chunks().to_batches()[0]
    shutil.rmtree(directory)
    directory.mkdir()
    log = SegmentWriter(directory, frames[0].header, 1 << 20, 1 << 16)
    log.append(batch)
    log.close()


def test_a_record_that_is_there_twice_is_opened_once_and_told(stopped: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with_rows(stopped.directory, [0, 1, 1, 3, 2])
    assert main(["pipeline", "open", "--config", str(stopped.config)]) == 1
    said = capsys.readouterr()
    assert [f"s{number}" in said.out for number in range(4)] == [True, True, False, True]
    assert said.out.count("'s1'") == 1
    assert said.err.splitlines() == [
        f"tenure pipeline open: 00000001.seg, frame 0, row {row}: refused, it stands there twice or out of order"
        for row in (2, 4)
    ]


def test_a_query_and_a_start_tell_of_rows_out_of_order(
    stopped: Any, start: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with_rows(stopped.directory, [0, 3, 1, 2])
    told = "00000001.seg, frame 0: 2 rows stand there twice or out of order, first row 2"
    assert main(["pipeline", "query", "--config", str(stopped.config), "SELECT count(*) FROM events"]) == 0
    assert capsys.readouterr().err == f"tenure pipeline query: {told}\n"
    server = start('[keep]\ndirectory = "data"\n')
    assert server.said[0] == told


def test_ids_go_on_behind_the_highest_wherever_it_stands(stopped: Any, start: Any) -> None:
    (last,) = (each.batch["ms"][3].as_py() for each in frames_in(stopped.directory) if each.batch.num_rows == 4)
    with_rows(stopped.directory, [3, 0, 1, 2])
    server = start('[keep]\ndirectory = "data"\n')
    with server.client() as client:
        seq = int(client.xadd("ev", {"tenant": "t"}, id=f"{last}-*").split(b"-")[1])
    assert seq > max(each.batch["seq"][0].as_py() for each in frames_in(stopped.directory))


def test_a_record_that_was_altered_does_not_bring_those_behind_it_into_doubt(
    stopped: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with_rows(stopped.directory, [0, 1, 2, 3])
    (frame,) = frames_in(stopped.directory)
    at = frame.batch.schema.get_field_index("counter")
    batch = frame.batch.set_column(at, frame.batch.schema.field(at), pa.array([0, 99, 2, 3], pa.uint64()))
    shutil.rmtree(stopped.directory)
    stopped.directory.mkdir()
    log = SegmentWriter(stopped.directory, frame.header, 1 << 20, 1 << 16)
    log.append(batch)
    log.close()
    assert main(["pipeline", "open", "--config", str(stopped.config)]) == 1
    said = capsys.readouterr()
    assert [f"s{number}" in said.out for number in range(4)] == [True, False, True, True]
    assert said.err == "tenure pipeline open: 00000001.seg, frame 0, row 1: refused, the tag does not fit\n"
    assert len(segments_in(stopped.directory)) == 1
