"""A running server can be seen: its dashboard, its metrics, its log and its numbers in a terminal."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.conftest import begin

from tenure.cli import main
from tenure.pipeline.eyes.metrics import METRICS


def test_a_server_shows_its_numbers_everywhere(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    running = begin(here, '[eyes]\nport = 0\nlog = "log.jsonl"\n')
    try:
        where = re.search(r"http://127\.0\.0\.1:\d+/", "\n".join(running.said))
        assert where is not None
        with running.client() as client:
            for number in range(5):
                client.xadd("s", {"tenant": "a", "v": number, "secret": "no. 4711"})
        with urllib.request.urlopen(where[0] + "numbers", timeout=20) as answer:
            numbers = json.load(answer)
        assert numbers["received"] == 5
        assert numbers["kinds"]["SecretBuffer"] >= 1
        assert set(numbers) - {"kinds", "waits"} == set(METRICS)
        assert sum(numbers["waits"]) == numbers["batches"]
        assert numbers["seal_seconds"] > 0
        assert main(["pipeline", "stats", "--port", str(running.port)]) == 0
        assert re.search(r"received\s+│\s+5 ", capsys.readouterr().out)
    finally:
        assert running.stop() == 0
    lines = [json.loads(line) for line in (here / "log.jsonl").read_text().splitlines()]
    assert [line["happened"] for line in lines] == ["started", "draining", "stopped"]
    assert lines[-1]["received"] == 5
    assert "4711" not in (here / "log.jsonl").read_text()


def test_stats_need_the_password_where_there_is_one(start: Any, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "password").write_text("open sesame\n")
    (here / "password").chmod(0o600)
    server = start(f'[front]\npassword_file = "{here}/password"\n')
    where = ["pipeline", "stats", "--port", str(server.port)]
    assert main(where) == 1
    assert "tenure pipeline stats: the server refuses: " in capsys.readouterr().err
    assert main([*where, "--password-file", str(here / "password")]) == 0
    assert "resident memory" in capsys.readouterr().out


def test_stats_of_nobody_is_a_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pipeline", "stats", "--port", "1"]) == 1
    assert "tenure pipeline stats: no server answers there: " in capsys.readouterr().err
