"""A server that starts again goes on where the log ends, makes anew what was lost, and refuses what is not its own."""

from __future__ import annotations

import json
import signal
import struct
import subprocess
import sys
import zlib
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tenure.pipeline.opening import Opener
from tenure.pipeline.query import ask, frames_in
from tenure.pipeline.recovery import recover
from tenure.pipeline.results import Checkpoint
from tenure.pipeline.seal.keyring import Keyring
from tenure.pipeline.segments import Damage, Segment, segments_in
from tenure.pipeline.windows import Windows
from tenure.pipeline.writer import LogInUse, SegmentWriter, claimed

EVENT = {"tenant": "t", "v": "1", "secret": "hush"}
SMALL = '[keep]\ndirectory = "data"\nsegment_bytes = 1\n'
WINDOWS = '[windows]\nwidth_seconds = 1\nlateness_seconds = 0\n[keep]\ndirectory = "data"\n'
SHOWN = 'SELECT start, tenant, events, sum, p50, "distinct", closed FROM windows ORDER BY ALL'


def run_once(config: Path) -> subprocess.CompletedProcess[str]:
    """A server that is expected not to come up."""
    command = [sys.executable, "-m", "tenure", "pipeline", "run", "--config", str(config), "--port", "0"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def add(server: Any, *times: int, **more: str) -> None:
    with server.client() as client:
        for time_ms in times:
            client.xadd("ev", EVENT | {"time": str(time_ms)} | more)


def test_a_directory_belongs_to_one_server(start: Any) -> None:
    server = start()
    add(server, 1)
    done = run_once(server.config)
    assert done.returncode == 2
    assert done.stderr == (
        f"tenure pipeline run: {server.directory} is in use by another server; "
        "stop it, or choose another [keep] directory\n"
    )
    add(server, 2)
    assert server.stop() == 0
    assert sum(frame.batch.num_rows for frame in frames_in(server.directory)) == 2


def test_a_directory_is_free_again_when_it_is_given_back(here: Path) -> None:
    with claimed(here), pytest.raises(LogInUse):
        claimed(here)
    claimed(here).close()


def test_a_port_that_is_taken_is_named(start: Any, here: Path) -> None:
    server = start()
    other = here / "other"
    other.mkdir()
    (other / "tenure.toml").write_text(f'[front]\nport = {server.port}\n[seal]\nkey_file = "../tenure.key"\n')
    command = [sys.executable, "-m", "tenure", "pipeline", "run", "--config", str(other / "tenure.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"[front] cannot listen on host 127.0.0.1, port {server.port}: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_directory_or_a_log_that_cannot_be_is_named_with_its_setting(here: Path) -> None:
    (here / "tenure.key").write_bytes(bytes(32))
    (here / "tenure.key").chmod(0o600)
    (here / "file").touch()
    config = here / "tenure.toml"
    for setting, said in {
        '[keep]\ndirectory = "file"': f"[keep] directory {here}/file: File exists",
        '[eyes]\nlog = "no/where"': f"[eyes] log {here}/no/where: No such file or directory",
    }.items():
        config.write_text(setting)
        done = run_once(config)
        assert (done.returncode, done.stderr) == (2, f"tenure pipeline run: {said}\n")


def test_results_that_were_lost_are_made_anew_from_the_log(start: Any) -> None:
    server = start(WINDOWS)
    add(server, *(second * 500 for second in range(20)))
    assert server.stop() == 0
    before = ask(server.directory, SHOWN).rows
    assert [closed for *_, closed in before] == [True] * 9 + [False]
    (server.directory / "results.duckdb").unlink()
    server = start(WINDOWS)
    assert server.stop() == 0
    assert ask(server.directory, SHOWN).rows == before


def test_results_that_cannot_be_read_are_named_with_the_way_out(start: Any) -> None:
    server = start(WINDOWS)
    assert server.stop() == 0
    (server.directory / "results.duckdb").write_bytes(b"something else entirely" * 1000)
    done = run_once(server.config)
    assert done.returncode == 2
    assert "results.duckdb cannot be opened: " in done.stderr
    assert "move it away: the results are made anew from the log" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_value_that_is_added_later_is_missing_in_what_came_before(start: Any) -> None:
    server = start(WINDOWS)
    add(server, 100)
    assert server.stop() == 0
    server = start(WINDOWS + '[fields]\nvalues = ["v", "w"]\n')
    add(server, 200, w="7")
    assert server.stop() == 0
    assert ask(server.directory, "SELECT v, w FROM events ORDER BY time").rows == [(1, None), (1, 7)]
    assert ask(server.directory, "SELECT field, events, count FROM windows ORDER BY 1").rows == [
        ("v", 2, 2),
        ("w", 2, 1),
    ]


def test_segments_that_were_moved_away_keep_their_numbers_and_their_windows(start: Any, here: Path) -> None:
    server = start(WINDOWS)
    add(server, 100, 1_100, 2_100, 3_100)
    assert server.stop() == 0
    before = ask(server.directory, SHOWN).rows
    archive = here / "archive"
    archive.mkdir()
    for path in segments_in(server.directory):
        path.rename(archive / path.name)
    server = start(WINDOWS)
    add(server, 4_100, 5_100)
    assert server.stop() == 0
    names = {path.name for path in segments_in(server.directory)}
    assert names
    assert not names & {path.name for path in archive.iterdir()}
    # The window that was open lay in what was moved away.
    closed = [row for row in before if row[-1]]
    assert ask(server.directory, SHOWN).rows[: len(closed)] == closed


# Segments somebody has worked on.


@pytest.fixture
def three(start: Any) -> Any:
    """A server that has stopped, and three segments of one event each."""
    server = start(SMALL)
    for number in range(3):
        add(server, number)
        with server.client() as client:
            while client.info()["stored"] <= number:
                pass
    assert server.stop() == 0
    assert len(segments_in(server.directory)) >= 3
    return server


def with_header(path: Path, **changes: object) -> None:
    """The segment, with another header whose checksum fits."""
    log = path.read_bytes()
    (length,) = struct.unpack_from("<I", log, 8)
    text = json.dumps({**json.loads(log[16 : 16 + length]), **changes}).encode()
    path.write_bytes(log[:8] + struct.pack("<II", len(text), zlib.crc32(text)) + text + log[16 + length :])


def test_a_segment_whose_header_was_altered_is_refused_when_it_is_opened(three: Any) -> None:
    with_header(three.directory / "00000002.seg", salt="00" * 32)
    done = run_once(three.config)
    assert done.returncode == 2
    assert "00000002.seg: the header's commitment does not fit the key it names" in done.stderr


@pytest.mark.parametrize(
    "changes", [{"salt": "xx"}, {"salt": None}, {"schema": "00"}, {"values": ["w"]}, {"values": 3}, {"values": [1]}]
)
def test_a_header_that_makes_no_sense_is_named_and_the_segment_put_aside(
    three: Any, start: Any, changes: dict[str, object]
) -> None:
    with_header(three.directory / "00000002.seg", **changes)
    damage: list[Damage] = []
    assert sum(frame.batch.num_rows for frame in frames_in(three.directory, damage)) == 2
    assert [found.path.name for found in damage] == ["00000002.seg"]
    assert "the header is not that of a segment: " in damage[0].why
    again = start(SMALL)
    assert "2 events recovered" in "\n".join(again.said)
    assert again.said[0].startswith("00000002.seg is left out, ")
    assert (three.directory / "00000002.damaged").exists()


def test_a_number_is_never_used_twice_and_nothing_put_aside_is_written_over(here: Path) -> None:
    (here / "00000007.damaged").write_bytes(b"kept")
    (here / "00000008.seg").write_bytes(b"broken")
    windows = Windows(1000, 0, ())
    recover(here, Checkpoint(), windows, lambda frame, rows: rows, lambda header, where: None)
    (here / "00000008.seg").write_bytes(b"broken again")
    recover(here, Checkpoint(), windows, lambda frame, rows: rows, lambda header, where: None)
    assert {path.name: path.read_bytes() for path in here.iterdir()} == {
        "00000007.damaged": b"kept",
        "00000008.damaged": b"broken",
        "00000008.damaged-1": b"broken again",
    }


def test_every_segment_is_asked_for_its_key_even_without_events(here: Path, keyring: Keyring, opener: Opener) -> None:
    from tenure.pipeline.block import schema_of
    from tenure.pipeline.segments import Header

    log = SegmentWriter(here, Header(keyring.root, ("v", "w"), schema_of(("v", "w"))), 1 << 20, 1 << 16)
    log.ready()
    log.close()
    asked: list[str] = []
    recover(here, Checkpoint(), Windows(1, 0, ()), lambda frame, rows: rows, lambda header, where: asked.append(where))
    assert asked == ["00000001.seg"]
    assert opener.root(Segment.of(here / "00000001.seg").header, "here")


def test_a_frame_that_holds_no_events_though_its_checksum_fits_is_where_the_segment_ends(three: Any) -> None:
    path = three.directory / "00000002.seg"
    log, segment = bytearray(path.read_bytes()), Segment.of(path)
    (head,) = segment.heads()
    at = head.at - 36
    log[head.at : head.at + 40] = bytes(40)
    checksum = zlib.crc32(bytes(log[at + 12 : head.at + head.length]))
    log[at + 8 : at + 12] = struct.pack("<I", checksum)
    path.write_bytes(log)
    damage: list[Damage] = []
    assert sum(frame.batch.num_rows for frame in frames_in(three.directory, damage)) == 2
    assert damage[0].why.startswith("a frame holds no events: ")


def test_the_last_commit_waits_for_whoever_reads_the_results(start: Any) -> None:
    server = start(WINDOWS)
    add(server, 100, 5000)
    with duckdb.connect(str(server.directory / "results.duckdb"), read_only=True):
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(0.7)
    assert server.stop() == 0
    assert server.books()["commits_put_off"] > 0
    assert ask(server.directory, "SELECT start, events, closed FROM windows ORDER BY 1").rows == [
        (datetime(1970, 1, 1), 1, True),
        (datetime(1970, 1, 1, 0, 0, 5), 1, False),
    ]
