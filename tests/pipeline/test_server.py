"""The whole server, as Redis clients meet it: what they say works, what harms is refused, and the others go on."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
from typing import Any

import pytest
import redis

from tenure.pipeline.books import Books
from tenure.pipeline.resp import bulk, replies
from tenure.pipeline.server import Server
from tenure.pipeline.settings import Settings

EVENT = {"tenant": "t1", "v": "12.5", "secret": "hush"}


def raw(server: Any) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def test_redis_py_adds_events_and_counts_them(server: Any) -> None:
    with server.client() as client:
        before = client.xlen("ev")
        client.xadd("ev", EVENT)
        pipeline = client.pipeline(transaction=False)
        for _ in range(100):
            pipeline.xadd("ev", EVENT, maxlen=10, approximate=True)
        ids = pipeline.execute()
        assert len(set(ids)) == 100
        assert client.xlen("ev") == before + 101


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py_speaks_either_protocol(server: Any, protocol: int) -> None:
    with redis.Redis(port=server.port, protocol=protocol) as client:
        assert client.ping()
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
        assert client.info()["redis_version"] == "7.0.0"


def test_redis_cli_works_unchanged(server: Any) -> None:
    try:
        done = subprocess.run(
            ["redis-cli", "-p", str(server.port), "XADD", "cli", "5-5", "tenant", "t", "secret", "s"],
            capture_output=True,
            text=True,
            timeout=30,
        )
    except FileNotFoundError:
        pytest.skip("redis-cli (Debian package redis-tools) is not installed")
    assert done.stdout == "5-5\n"


def test_redis_benchmark_pings_unchanged(server: Any) -> None:
    if not shutil.which("redis-benchmark"):
        pytest.skip("redis-benchmark (Debian package redis-tools) is not installed")
    command = ["redis-benchmark", "-p", str(server.port), "-t", "ping", "-n", "200", "--csv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.partition(",")[0] for line in done.stdout.splitlines()[1:]] == ['"PING_INLINE"', '"PING_MBULK"']


def test_hello_says_who_it_is(server: Any) -> None:
    with server.client() as client:
        found = client.execute_command("HELLO", "3")
        assert (found[b"server"], found[b"proto"]) == (b"tenure", 3)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("NOPE",), "unknown command 'NOPE'"),
        (("ECHO",), "wrong number of arguments for 'echo' command"),
        (("SELECT", "1"), "DB index is out of range"),
        (("AUTH", "x"), "AUTH is called without any password configured"),
        (("HELLO", "4"), "unsupported protocol version"),
        (("HELLO", "2", "NOPE"), "Syntax error in HELLO option 'NOPE'"),
        (("CONFIG", "SET", "a", "b"), "only CONFIG GET is there"),
        (("SHUTDOWN", "ABORT"), "syntax error"),
        (("CLIENT", "KILL"), "unknown subcommand or wrong number of arguments for 'KILL'"),
        (("XADD", "ev", "*", "v", "1"), r"the event has no field that says whose it is"),
    ],
)
def test_what_is_refused_is_refused_in_words(server: Any, words: tuple[str, ...], why: str) -> None:
    with server.client() as client, pytest.raises(redis.ResponseError, match=why):
        client.execute_command(*words)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("PING", b"+PONG\r\n"),
        ("PING there", b"$5\r\nthere\r\n"),
        ("ECHO there", b"$5\r\nthere\r\n"),
        ("SELECT 0", b"+OK\r\n"),
        ("CLIENT SETNAME me", b"+OK\r\n"),
        ("CLIENT SETINFO LIB-NAME x", b"+OK\r\n"),
        ("CLIENT GETNAME", b"$0\r\n\r\n"),
        ("CLIENT ID", b":1\r\n"),
        ("COMMAND DOCS", b"*0\r\n"),
        ("COMMAND COUNT", b":13\r\n"),
        ("CONFIG GET save", b"*2\r\n$4\r\nsave\r\n$0\r\n\r\n"),
        ("XLEN nothing", b":0\r\n"),
    ],
)
def test_what_clients_say_around_their_work_is_answered(server: Any, words: str, answer: bytes) -> None:
    with raw(server) as peer:
        peer.sendall(replies([bulk(word.encode()) for word in words.split(" ")]))
        assert peer.recv(1000) == answer


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"expected '*', got 'G'"),
        (b"*1\r\n$999999999999\r\n", b"invalid bulk length"),
        (b"*99999999\r\n", b"invalid multibulk length"),
    ],
)
def test_who_does_not_speak_the_protocol_is_told_and_let_go_and_others_go_on(
    server: Any, said: bytes, why: bytes
) -> None:
    with server.client() as client, raw(server) as peer:
        peer.sendall(said)
        assert peer.makefile("rb").read() == b"-ERR Protocol error: " + why + b"\r\n"
        assert client.xadd("ev", EVENT)


def test_a_peer_that_asks_for_everything_at_once_does_not_keep_the_others_waiting(server: Any) -> None:
    """What is asked in one breath is found out once: a thousand answers are the same."""
    with raw(server) as peer:
        peer.sendall(b"*1\r\n$4\r\nINFO\r\n" * 1000 + b"*1\r\n$4\r\nQUIT\r\n")
        answers = peer.makefile("rb").read().split(b"# Server")[1:]
    assert len(answers) == 1000
    assert len({answer.partition(b"batches:")[2].partition(b"\r\n")[0] for answer in answers}) < 20
    assert len({answer.partition(b"cpu_seconds:")[2] for answer in answers[1:-1]}) < 20


def test_quit_is_answered_before_the_end(server: Any) -> None:
    with raw(server) as peer:
        peer.sendall(b"*1\r\n$4\r\nQUIT\r\n*1\r\n$4\r\nPING\r\n")
        assert peer.makefile("rb").read() == b"+OK\r\n"


def test_shutdown_drains_and_the_books_balance(start: Any) -> None:
    server = start('[windows]\nwidth_seconds = 1\n[fields]\nvalues = ["v"]\nsecret = ["secret"]\n')
    with server.client() as client:
        for second in range(5):
            client.xadd("ev", EVENT | {"time": str(second * 60_000)})
        client.shutdown()
    assert server.process.wait(30) == 0
    books = server.books()
    assert books["sealed"] == books["stored"] == 5
    assert (books["keys_opened"], books["keys_closed"]) == (1, 1)
    assert (books["handles_opened"], books["handles_open"], books["handles_abandoned"]) == (
        books["handles_closed"],
        0,
        0,
    )
    assert books["windows_closed"] + books["windows_open"] == 5


def test_a_commit_whose_turn_has_not_come_is_not_lost_when_the_server_stops() -> None:
    async def stopped_while_it_waits() -> list[str]:
        server = Server(Settings(), None, None, Books())  # type: ignore[arg-type]  # neither is asked
        server.loop = asyncio.get_running_loop()
        done: list[str] = []
        go = threading.Event()
        first = server.loop.create_task(server.aside(go.wait))
        second = server.loop.create_task(server.aside(done.append, "committed"))
        await asyncio.sleep(0)
        for task in (first, second):
            task.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        go.set()
        await asyncio.to_thread(server.thread.shutdown)
        return done

    assert asyncio.run(stopped_while_it_waits()) == ["committed"]
