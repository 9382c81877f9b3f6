"""The door answers with the page, the numbers and the metrics, on loopback, to nobody who came by another name."""

from __future__ import annotations

import json
import re
import shutil
import socket
import struct
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import tenure
from tenure.pipeline.books import Books
from tenure.pipeline.eyes import door as eyes
from tenure.pipeline.eyes.door import Door

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,900",
    "--virtual-time-budget=6000",
]


@pytest.fixture
def books() -> Books:
    books = Books(stored=41)
    zero = ("received", "sealed", "sealed_bytes", "connections", "waiting_rows", "keys_opened", "keys_closed", "late")
    books.gauges |= {name: lambda: 0 for name in (*zero, "windowless", "windows_open", "epoch", "recovered")}
    return books


@pytest.fixture
def door(books: Books) -> Iterator[Door]:
    door = Door(0, books.snapshot, books.waits)
    yield door
    door.close()


def got(door: Door, path: str, **headers: str) -> tuple[str, bytes]:
    request = urllib.request.Request(door.where.rstrip("/") + path, headers=headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.headers["Content-Type"], answer.read()


def test_the_numbers_are_json_with_what_is_open_by_kind(door: Door) -> None:
    with tenure.own(1, release=print, kind="test-thing"), tenure.own(2, release=print, kind="test-thing"):
        kind, body = got(door, "/numbers")
    numbers = json.loads(body)
    assert kind == "application/json"
    assert numbers["stored"] == 41
    assert numbers["kinds"]["test-thing"] == 2


def test_the_metrics_are_prometheus_text(door: Door) -> None:
    kind, body = got(door, "/metrics")
    assert kind.startswith("text/plain; version=0.0.4")
    assert b"\ntenure_stored_total 41.0\n" in body


def test_the_page_is_self_contained(door: Door) -> None:
    _, body = got(door, "/")
    assert not re.findall(rb'(?:src|href)="', body)
    assert set(re.findall(rb"https?://[^\"' ]+", body)) == {b"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize(("path", "host", "status"), [("/secret", "127.0.0.1", 404), ("/numbers", "evil.test", 403)])
def test_it_answers_nothing_else_and_nobody_else(door: Door, path: str, host: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        got(door, path, Host=host)
    assert caught.value.code == status
    caught.value.close()


def test_a_browser_that_leaves_before_its_answer_is_no_fault(door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    for said in (b"", b"GET /num", b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"):
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", door.port)) as one:
                one.sendall(said)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert got(door, "/numbers")[0] == "application/json"
    door.close()
    assert capsys.readouterr().err == ""


def test_who_says_nothing_is_let_go(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eyes, "PATIENCE", 0.2)
    door = Door(0, books.snapshot)
    with socket.create_connection(("127.0.0.1", door.port), timeout=20) as silent:
        assert silent.recv(1) == b""
    door.close()


def test_a_taken_port_is_an_error(door: Door, books: Books) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        Door(door.port, books.snapshot)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here; `make browser` installs it")
def test_a_browser_shows_the_books(door: Door, tmp_path: Path) -> None:
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path}", "--dump-dom", door.where]
    result = subprocess.run(command, capture_output=True, text=True, timeout=90, check=True)
    assert '<span id="state" role="status" class="">running</span>' in result.stdout
    assert "<td>stored</td><td" in result.stdout
    assert re.search(r"<td>stored</td><td[^>]*>41</td>", result.stdout)
    assert "<h2>latency p99, read to reply, at most</h2>" in result.stdout
    for chart in ("events a second", "resident memory", "windows open"):
        assert re.search(rf"<h2>{chart}</h2><output>[^<–]+</output>", result.stdout), chart
    assert "open handles by kind" in result.stdout
