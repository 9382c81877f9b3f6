"""The log: what is written is read, what is torn is cut back, what is damaged is named with its place."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pyarrow as pa
import pytest

from tenure.pipeline.block import Block, Row, batch_of, schema_of
from tenure.pipeline.seal.keyring import Root
from tenure.pipeline.segments import Header, Segment, SegmentError, mend, segments_in
from tenure.pipeline.writer import SegmentWriter

HEADER = Header(Root(b"s" * 32, b"k" * 8, b"c" * 32), ("v",), schema_of(("v",)))


def batch(rows: int) -> pa.RecordBatch:
    block = Block(1)
    for number in range(rows):
        block.append(Row((number, 0, 1000 + number, 1, 1, number), (float("nan"),), (b"ev", b"t", b"", b"x" * 20), 0))
    return batch_of(block.take(), ("v",))


def writer(directory: Path, limit: int = 1 << 20) -> SegmentWriter:
    return SegmentWriter(directory, HEADER, limit, 1 << 16)


def written(directory: Path, frames: int, limit: int = 1 << 20) -> list[Path]:
    log = writer(directory, limit)
    for _ in range(frames):
        log.ready()
        log.append(batch(3))
    log.close()
    return segments_in(directory)


def test_what_is_written_is_read(here: Path) -> None:
    (path,) = written(here, 2)
    segment = Segment.of(path)
    assert [frame.batch.to_pydict() for frame in segment.frames()] == [batch(3).to_pydict()] * 2
    assert segment.header == HEADER
    assert segment.end is not None
    assert (segment.end.lost, segment.end.why) == (0, "")


def test_a_frame_says_its_rows_and_times_without_being_read(here: Path) -> None:
    (path,) = written(here, 1)
    (head,) = Segment.of(path).heads()
    assert (head.number, head.rows, head.low, head.high) == (0, 3, 1000, 1002)


def test_a_full_segment_is_followed_by_another(here: Path) -> None:
    assert [path.name for path in written(here, 3, limit=1)] == ["00000001.seg", "00000002.seg", "00000003.seg"]


def test_a_segment_without_a_frame_is_not_followed_by_another(here: Path) -> None:
    log = writer(here, limit=1)
    for _ in range(3):
        log.ready()
    log.close()
    assert [path.name for path in segments_in(here)] == ["00000001.seg"]


def test_a_segment_has_its_header_before_it_has_its_name(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks while a segment begins is not told of a damaged one."""
    (here / "00000004.new").write_bytes(bytes(1 << 16))
    seen: list[list[Path]] = []
    write = os.pwrite

    def pwrite(fd: int, data: bytes, at: int) -> int:
        seen.append(segments_in(here))
        return write(fd, data, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    log = writer(here)
    log.ready()
    assert seen == [[]]
    assert Segment.of(log.path).header == HEADER
    log.close()
    assert [path.name for path in here.iterdir()] == ["00000005.seg"]


def test_room_is_taken_before_it_is_needed_and_given_back(here: Path) -> None:
    log = writer(here)
    log.ready()
    assert log.path.stat().st_size >= 1 << 16
    log.append(batch(3))
    log.close()
    assert log.path.stat().st_size == log.at


@pytest.mark.parametrize("keep", [0.02, 0.3, 0.6, 0.99])
def test_a_torn_frame_is_cut_off_and_what_was_before_it_stays(here: Path, keep: float) -> None:
    (path,) = written(here, 1)
    whole = path.stat().st_size
    log = path.read_bytes()
    frame = log[Segment.of(path).start :]
    second = frame[:16] + b"\1\0\0\0" + frame[20:]
    path.write_bytes(log + second[: int(len(second) * keep)])
    damage = mend(path)
    assert damage is not None
    assert (damage.at, damage.lost) == (whole, int(len(second) * keep))
    assert path.stat().st_size == whole
    assert mend(path) is None


def test_room_that_was_never_written_is_no_damage(here: Path) -> None:
    (path,) = written(here, 1)
    whole = path.stat().st_size
    os.truncate(path, whole + 5000)
    assert mend(path) is None
    assert path.stat().st_size == whole


@pytest.mark.parametrize(
    ("at", "why"),
    [
        (0, "no frame begins here"),
        (4, "a frame is cut"),
        (8, "a frame's checksum does not fit"),
        (12, "a frame's checksum does not fit"),
        (20, "a frame's checksum does not fit"),
        (500, "a frame's checksum does not fit"),
    ],
)
def test_one_altered_byte_is_found(here: Path, at: int, why: str) -> None:
    (path,) = written(here, 1)
    log = bytearray(path.read_bytes())
    log[Segment.of(path).start + at + (2 if at == 4 else 0)] ^= 0x40
    path.write_bytes(log)
    segment = Segment.of(path)
    assert list(segment.frames()) == []
    assert segment.end is not None
    assert segment.end.why == why


def test_frames_in_another_order_are_found(here: Path) -> None:
    (path,) = written(here, 2)
    log, segment = path.read_bytes(), Segment.of(path)
    first, second = segment.heads()
    middle = first.at + first.length
    path.write_bytes(log[: segment.start] + log[middle : second.at + second.length] + log[segment.start : middle])
    segment = Segment.of(path)
    assert list(segment.heads()) == []
    assert segment.end is not None
    assert segment.end.why == "frame 1 stands where frame 0 should"


def test_a_segment_whose_header_never_got_whole_is_put_aside(here: Path) -> None:
    path = here / "00000001.seg"
    path.write_bytes(b"TENURE1\n\0")
    damage = mend(path)
    assert damage is not None
    assert damage.why == f"{path} does not begin as a segment does"
    assert [file.name for file in here.iterdir()] == ["00000001.damaged"]


def test_room_behind_a_torn_frame_is_not_told_of_as_lost(here: Path) -> None:
    (path,) = written(here, 2)
    log, (first, second) = path.read_bytes(), Segment.of(path).heads()
    path.write_bytes(log[:-300] + bytes(300 + (3 << 20)))
    damage = mend(path)
    assert damage is not None
    assert (damage.at, damage.lost) == (first.at + first.length, second.at + second.length - first.at - first.length)
    assert damage.why == "a frame's checksum does not fit"


def test_a_damaged_header_is_named(here: Path) -> None:
    (path,) = written(here, 1)
    log = bytearray(path.read_bytes())
    log[30] ^= 1
    path.write_bytes(log)
    with pytest.raises(SegmentError, match=r"00000001\.seg: the header is damaged"):
        Segment.of(path)


# A server cuts its log while somebody else reads it.

CUT = """
import os, sys
from pathlib import Path
from tenure.pipeline.segments import Segment

path, end = Path(sys.argv[1]), int(sys.argv[2])
segment = Segment.of(path)
if sys.argv[3] == "before":
    os.truncate(path, end)
walk = segment.frames()
frames = [next(walk)]
if sys.argv[3] == "during":
    os.truncate(path, end)
frames += walk
assert frames[0].batch.num_rows == 3 and len(frames) == 1, frames
assert segment.end.lost == 0, segment.end
"""


def ending_with_a_page(path: Path) -> int:
    """Give the segment a longer header, so that no byte of the page of its last frame stands behind that; its end."""
    log = path.read_bytes()
    (length,) = struct.unpack_from("<I", log, 8)
    text = log[16 : 16 + length] + b" " * (-len(log) % mmap.PAGESIZE)
    path.write_bytes(log[:8] + struct.pack("<II", len(text), zlib.crc32(text)) + text + log[16 + length :])
    return path.stat().st_size


@pytest.mark.parametrize("moment", ["before", "during"])
@pytest.mark.parametrize("tail", [b"", b"FRAM" + (1 << 17).to_bytes(4, "little") + b"x" * (1 << 17)])
def test_a_tail_that_is_cut_off_under_a_reader_does_not_kill_it(here: Path, tail: bytes, moment: str) -> None:
    """A torn frame that a server cuts off when it starts, or room that it gives back when it stops."""
    (path,) = written(here, 1)
    end = ending_with_a_page(path)
    with path.open("ab") as file:
        file.write(tail)
        file.truncate(end + (1 << 18))
    reader = subprocess.run([sys.executable, "-c", CUT, str(path), str(end), moment], capture_output=True, text=True)
    assert reader.returncode == 0, reader.stderr
