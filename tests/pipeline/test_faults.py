"""What may go wrong around a server, each done to a real one: nothing acknowledged is lost, and the others go on."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tenure.pipeline.assembly import Opening, serve
from tenure.pipeline.query import ask, frames_in
from tenure.pipeline.resp import bulk, replies
from tenure.pipeline.segments import segments_in
from tenure.pipeline.settings import Front, Keep, Seal, Settings
from tenure.pipeline.writer import SegmentWriter

EVENT = {"tenant": "t1", "v": "1", "secret": "hush"}


def said(*words: bytes) -> bytes:
    return replies([bulk(word) for word in words])


def peer(server: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


def info(server: Any) -> dict[str, Any]:
    with server.client() as client:
        found: dict[str, Any] = client.info()
        return found


def ids_on_disk(directory: Path) -> set[str]:
    return {
        f"{ms}-{seq}"
        for frame in frames_in(directory)
        for ms, seq in zip(frame.batch["ms"].to_pylist(), frame.batch["seq"].to_pylist(), strict=True)
    }


def test_a_thousand_and_a_half_disconnects_in_mid_frame_leave_nothing_behind(start: Any) -> None:
    server = start()
    half = said(b"XADD", b"ev", b"*", b"tenant", b"t", b"secret", b"x" * 1000)[:-500]

    def disconnect(times: int) -> None:
        for _ in range(times):
            with peer(server) as one:
                one.sendall(half)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    disconnect(300)
    before = info(server)
    disconnect(1500)
    time.sleep(0.2)
    after = info(server)
    assert after["descriptors"] <= before["descriptors"] + 1
    assert after["connections"] == 1
    assert after["rss_bytes"] - before["rss_bytes"] < 4 << 20
    assert after["sealed"] == 0


def test_a_peer_that_never_reads_is_not_listened_to_and_then_let_go(start: Any) -> None:
    server = start("[front]\nstall_timeout = 1.0\n")
    with peer(server) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(5)
        echo = said(b"ECHO", b"x" * 1000) * 100
        with pytest.raises(OSError):  # noqa: PT011 - reset by the server, or no more room to send
            for _ in range(2000):
                deaf.sendall(echo)
        with server.client() as client:
            assert client.xadd("ev", EVENT)
    found = info(server)
    assert found["stalled"] == 1
    assert found["bytes_out"] < 50 << 20


def test_a_peer_stuck_in_a_request_is_let_go(start: Any) -> None:
    server = start("[front]\nstall_timeout = 0.5\n")
    with peer(server) as slow:
        slow.sendall(b"*2\r\n$4\r\nECHO\r\n$10\r\nabc")
        assert slow.recv(10) == b""
    assert info(server)["stalled"] == 1


def test_a_silent_peer_is_let_go(start: Any) -> None:
    server = start("[front]\nidle_timeout = 0.5\n")
    with peer(server) as silent:
        assert silent.recv(10) == b""


def test_there_are_no_more_connections_than_allowed(start: Any) -> None:
    server = start("[front]\nmax_connections = 2\n")
    with peer(server) as one, peer(server) as two:
        one.sendall(said(b"PING"))
        two.sendall(said(b"PING"))
        assert one.recv(7) == two.recv(7) == b"+PONG\r\n"
        with peer(server) as three:
            assert three.makefile("rb").read() == b"-ERR max number of clients reached\r\n"


def pushing(server: Any, acknowledged: list[str], stop: threading.Event, failed: list[str]) -> threading.Thread:
    """A client that adds events until it is told to stop or the server is gone, and notes what was acknowledged."""

    def push() -> None:
        with server.client() as client:
            while not stop.is_set():
                pipeline = client.pipeline(transaction=False)
                for _ in range(20):
                    pipeline.xadd("ev", EVENT)
                try:
                    for answer in pipeline.execute(raise_on_error=False):
                        if isinstance(answer, bytes):
                            acknowledged.append(answer.decode())
                        else:
                            failed.append(str(answer))
                except redis.ConnectionError:
                    return

    thread = threading.Thread(target=push)
    thread.start()
    return thread


def until(enough: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not enough():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_was_acknowledged_with_always_survives_kill_9(start: Any, here: Path) -> None:
    # Segments so small that many are filled, finished and followed by others while it goes on.
    settings = '[keep]\ndirectory = "data"\nfsync = "always"\nsegment_bytes = 20000\n'
    acknowledged: list[str] = []
    for enough in (200, 400):
        server = start(settings)
        pushers = [pushing(server, acknowledged, threading.Event(), []) for _ in range(3)]
        until(lambda enough=enough: len(acknowledged) > enough)  # type: ignore[misc]
        server.stop(signal.SIGKILL)
        for pusher in pushers:
            pusher.join()
    server = start(settings)
    with server.client() as client:
        assert client.xlen("ev") >= len(acknowledged)
        assert client.xadd("ev", EVENT).decode() not in acknowledged
    assert server.stop() == 0
    assert set(acknowledged) <= ids_on_disk(server.directory)
    assert len(segments_in(server.directory)) > 3


def test_sigterm_drains_and_loses_nothing_that_was_acknowledged(start: Any) -> None:
    server = start()
    acknowledged: list[str] = []
    pushers = [pushing(server, acknowledged, threading.Event(), []) for _ in range(2)]
    until(lambda: len(acknowledged) > 100)
    assert server.stop(signal.SIGTERM) == 0
    for pusher in pushers:
        pusher.join()
    books = server.books()
    assert books["sealed"] == books["stored"] >= len(acknowledged)
    assert books["handles_open"] == books["handles_abandoned"] == 0
    assert set(acknowledged) <= ids_on_disk(server.directory)


@pytest.fixture
def heard() -> Iterator[None]:
    """A closed terminal is heard, also where the tests themselves run under ``nohup``."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("heard")
def test_a_terminal_that_is_closed_loses_nothing(start: Any) -> None:
    server = start()
    with server.client() as client:
        ids = [client.xadd("ev", EVENT).decode() for _ in range(50)]
    assert server.stop(signal.SIGHUP) == 0
    assert ids_on_disk(server.directory) == set(ids)


def test_nohup_is_obeyed(start: Any) -> None:
    server = start(limit="trap '' HUP")
    server.process.send_signal(signal.SIGHUP)
    with server.client() as client:
        assert client.xadd("ev", EVENT)
    assert server.stop() == 0


def test_windows_go_on_after_kill_9_as_if_nothing_had_happened(start: Any) -> None:
    settings = "[windows]\nwidth_seconds = 10\nlateness_seconds = 0\n"
    settings += '[keep]\ndirectory = "data"\nfsync = "always"\ncommit_seconds = 0.2\n'
    server = start(settings)
    with server.client() as client:
        for time_ms, value in ((1_000, 1), (2_000, 2), (11_000, 3), (12_000, 4), (3_000, 99)):
            client.xadd("ev", {"tenant": "t", "v": value, "secret": f"s{value}", "time": time_ms})
        until(lambda: client.info()["windows_closed"] >= 1)
    server.stop(signal.SIGKILL)
    server = start(settings)
    assert "5 events recovered" in server.said[1]
    with server.client() as client:
        client.xadd("ev", {"tenant": "t", "v": 6, "secret": "s6", "time": 13_000})
        client.xadd("ev", {"tenant": "t", "v": 7, "secret": "s7", "time": 21_000})
    assert server.stop() == 0
    rows = ask(
        server.directory,
        'SELECT epoch_ms(start), events, sum, min, max, "distinct", closed FROM windows ORDER BY start',
    ).rows
    assert rows == [(0, 2, 3, 1, 2, 2, True), (10_000, 3, 13, 3, 6, 3, True), (20_000, 1, 7, 7, 7, 1, False)]
    assert server.books()["late"] == 1


@pytest.fixture
def small_disk(here: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    disk = here / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(disk)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"a small file system needs the right to mount one: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_refuses_new_events_keeps_the_old_and_goes_on_when_there_is_room(
    start: Any, small_disk: Path
) -> None:
    settings = f'[front]\nmax_request = 65536\nmax_bulk = 65536\n[keep]\ndirectory = "{small_disk}/data"\n'
    server = start(settings + "block_bytes = 262144\ncommit_seconds = 0.5\n")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(6 << 20))
    acknowledged: list[str] = []
    with server.client() as client:
        event = EVENT | {"secret": "x" * 4000}
        with pytest.raises(redis.ResponseError, match="the log has no room: No space left on device"):
            for _ in range(4000):
                acknowledged.append(client.xadd("ev", event).decode())
        assert acknowledged
        ballast.unlink()

        def accepted() -> bool:
            with contextlib.suppress(redis.ResponseError):
                acknowledged.append(client.xadd("ev", event).decode())
                return True
            return False

        until(accepted)
        acknowledged.append(client.xadd("ev", event).decode())
    assert server.stop() == 0
    assert set(acknowledged) == ids_on_disk(small_disk / "data")


def test_a_log_that_cannot_be_written_loses_no_event(start: Any) -> None:
    server = start('[eyes]\nlog = "/dev/full"\n')
    with server.client() as client:
        for _ in range(100):
            client.xadd("ev", EVENT)
        assert client.info()["log_lines_lost"] == 1
    assert server.stop() == 0
    assert server.books()["stored"] == len(ids_on_disk(server.directory)) == 100


def test_keys_rotate_every_millisecond_under_load_and_no_request_fails(start: Any) -> None:
    server = start("[seal]\nepoch_seconds = 0.001\n")
    acknowledged: list[str] = []
    failed: list[str] = []
    stop = threading.Event()
    pushers = [pushing(server, acknowledged, stop, failed) for _ in range(2)]
    until(lambda: info(server)["epoch"] > 50 and len(acknowledged) > 100)
    stop.set()
    for pusher in pushers:
        pusher.join()
    assert server.stop() == 0
    books = server.books()
    assert failed == []
    assert books["keys_opened"] == books["keys_closed"] > 10
    assert books["sealed"] == books["stored"] == len(acknowledged)
    assert books["handles_open"] == books["handles_abandoned"] == 0
    command = [sys.executable, "-m", "tenure", "pipeline", "open", "--config", str(server.config), "--limit", "0"]
    opened = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert opened.stdout.count("'secret': 'hush'") == len(acknowledged), opened.stderr


def test_a_reader_of_the_results_does_not_stop_the_server(start: Any) -> None:
    settings = "[windows]\nwidth_seconds = 1\nlateness_seconds = 0\n"
    server = start(settings + '[keep]\ndirectory = "data"\ncommit_seconds = 0.1\n')
    with server.client() as client:
        asked = 0
        for second in range(40):
            client.xadd("ev", EVENT | {"time": second * 1000})
            time.sleep(0.02)
            asked += len(ask(server.directory, "SELECT count(*) FROM windows").rows)
        assert asked == 40
    assert server.stop() == 0
    assert ask(server.directory, "SELECT sum(events)::INT FROM windows").rows == [(40,)]


def run_for(server_settings: str, here: Path) -> subprocess.CompletedProcess[str]:
    (here / "tenure.toml").write_text(server_settings)
    command = [sys.executable, "-m", "tenure", "pipeline", "run", "--config", str(here / "tenure.toml")]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_log_sealed_under_another_key_is_not_gone_on_with(start: Any, here: Path) -> None:
    settings = '[windows]\nwidth_seconds = 60\n[keep]\ndirectory = "data"\n'
    server = start(settings)
    with server.client() as client:
        client.xadd("ev", EVENT)
    server.stop()
    (here / "tenure.key").write_bytes(bytes(32))
    done = run_for(settings, here)
    assert done.returncode == 2
    assert "was sealed under the master key" in done.stderr


# The doors.


@pytest.fixture
def password(here: Path) -> Path:
    file = here / "password"
    file.write_text("open sesame\n")
    file.chmod(0o600)
    return file


def test_without_the_password_nothing_is_told_or_taken(start: Any, password: Path) -> None:
    server = start(f'[front]\npassword_file = "{password}"\n')
    with peer(server) as stranger:
        for words in ((b"PING",), (b"XADD", b"ev", b"*", b"tenant", b"t"), (b"INFO",), (b"SHUTDOWN",)):
            stranger.sendall(said(*words))
            assert stranger.recv(100) == b"-NOAUTH Authentication required.\r\n"
        stranger.sendall(said(b"AUTH", b"wrong"))
        assert stranger.recv(100).startswith(b"-WRONGPASS ")
        stranger.sendall(said(b"AUTH", b"open sesame") + said(b"PING"))
        assert stranger.recv(100) == b"+OK\r\n+PONG\r\n"
    with redis.Redis(port=server.port, password="open sesame") as client:
        assert client.xadd("ev", EVENT)


def test_the_unix_socket_is_for_its_owner_only(start: Any, here: Path) -> None:
    start(f'[front]\nunix = "{here}/door"\n')
    assert os.stat(here / "door").st_mode & 0o777 == 0o600
    with redis.Redis(unix_socket_path=str(here / "door")) as client:
        assert client.xadd("ev", EVENT)


def test_tls_is_spoken_where_there_is_a_certificate(start: Any, here: Path, certificate: Callable[[], None]) -> None:
    certificate()
    server = start(f'[front]\ntls_certificate = "{here}/cert.pem"\ntls_key = "{here}/key.pem"\n')
    with redis.Redis(
        host="127.0.0.1", port=server.port, ssl=True, ssl_ca_certs=f"{here}/cert.pem", ssl_check_hostname=False
    ) as client:
        assert client.xadd("ev", EVENT)


@pytest.fixture
def certificate(here: Path) -> Callable[[], None]:
    """Makes a certificate for this machine."""

    def made() -> None:
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", str(here / "key.pem"), "-out", str(here / "cert.pem")]
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        subprocess.run([*command, "-days", "1", *subject, *files], check=True, capture_output=True)

    return made


# Load that never pauses.


def test_sigterm_drains_under_load_also_where_replies_wait_for_the_disk(start: Any) -> None:
    server = start('[keep]\ndirectory = "data"\nfsync = "always"\n')
    acknowledged: list[str] = []
    pushers = [pushing(server, acknowledged, threading.Event(), []) for _ in range(4)]
    until(lambda: len(acknowledged) > 100)
    assert server.stop(signal.SIGTERM) == 0
    for pusher in pushers:
        pusher.join()
    assert server.books()["sealed"] == server.books()["stored"] >= len(acknowledged)
    assert set(acknowledged) <= ids_on_disk(server.directory)


def test_a_peer_that_always_has_a_request_half_sent_is_not_stuck_while_it_gets_on(start: Any) -> None:
    server = start("[front]\nstall_timeout = 0.4\n")
    whole = said(b"ECHO", b"x")
    with peer(server) as streaming:
        for _ in range(30):
            streaming.sendall(whole[-5:] + whole + whole[:-5] if _ else whole[:-5])
            time.sleep(0.05)
        streaming.sendall(whole[-5:] + said(b"QUIT"))
        assert streaming.makefile("rb").read() == b"$1\r\nx\r\n" * 59 + b"+OK\r\n"


def test_redis_cli_pipes_into_it(server: Any) -> None:
    if not shutil.which("redis-cli"):
        pytest.skip("redis-cli (Debian package redis-tools) is not installed")
    events = said(b"XADD", b"piped", b"*", b"tenant", b"t", b"secret", b"s") * 5000
    done = subprocess.run(
        ["redis-cli", "-p", str(server.port), "--pipe"], input=events, capture_output=True, timeout=60, check=True
    )
    assert b"errors: 0, replies: 5000" in done.stdout
    with server.client() as client:
        assert client.xlen("piped") == 5000


def test_who_is_promised_much_while_the_disk_is_slow_is_not_listened_to(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is to be said after a sync fills memory as what is not read does, so the peer has to wait for it."""
    slow, sync = threading.Event(), SegmentWriter.sync

    def slowly(self: SegmentWriter) -> None:
        slow.wait(60)
        sync(self)

    monkeypatch.setattr(SegmentWriter, "sync", slowly)
    (here / "key").write_bytes(bytes(32))
    (here / "key").chmod(0o600)
    settings = Settings(Front(port=0), seal=Seal(str(here / "key")), keep=Keep(str(here / "data"), "always"))
    echo, pushed, heard = said(b"ECHO", b"x" * 100_000), list[int](), list[int]()

    def talk(port: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as one:
            with contextlib.suppress(TimeoutError):
                while sum(pushed) < 64 << 20:
                    pushed.append(one.send(echo[sum(pushed) % len(echo) :]))
            slow.set()
            one.settimeout(30)
            while sum(heard) < sum(pushed) // len(echo) * len(bulk(b"x" * 100_000)):
                heard.append(len(one.recv(1 << 20)))
        with redis.Redis(port=port) as two:
            two.shutdown()

    threads: list[threading.Thread] = []

    def opened(opening: Opening) -> None:
        threads.append(threading.Thread(target=talk, args=(int(opening.where[0].rpartition(":")[2]),)))
        threads[0].start()

    serve(settings, opened)
    threads[0].join()
    assert sum(pushed) < 32 << 20


def test_what_could_not_be_written_is_not_acknowledged_and_no_reply_answers_the_wrong_request(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails although room was taken on it: one error, the connection closed, and later the server goes on."""
    broken = [OSError(errno.EIO, "Input/output error")] * 2
    write = SegmentWriter.append

    def append(self: SegmentWriter, batch: Any) -> None:
        if broken:
            raise broken.pop()
        write(self, batch)

    monkeypatch.setattr(SegmentWriter, "append", append)
    (here / "key").write_bytes(bytes(32))
    (here / "key").chmod(0o600)
    settings = Settings(Front(port=0), seal=Seal(str(here / "key")), keep=Keep(str(here / "data"), "always"))
    heard: list[bytes] = []

    def talk(port: int) -> None:
        event = said(b"XADD", b"ev", b"*", b"tenant", b"t")
        with socket.create_connection(("127.0.0.1", port), timeout=30) as one:
            one.sendall(event * 3)
            heard.append(one.makefile("rb").read())
        with redis.Redis(port=port) as two:
            for _ in range(200):
                with contextlib.suppress(redis.RedisError):
                    heard.append(two.xadd("ev", {"tenant": "t"}))
                    break
                time.sleep(0.05)
            two.shutdown()

    threads: list[threading.Thread] = []

    def opened(opening: Opening) -> None:
        threads.append(threading.Thread(target=talk, args=(int(opening.where[0].rpartition(":")[2]),)))
        threads[0].start()

    books = serve(settings, opened)
    threads[0].join()
    assert heard[0] == b"-ERR the log has no room: Input/output error; nothing is accepted until it has\r\n"
    assert len(heard) == 2
    assert (books["sealed"], books["stored"]) == (4, 4)
