"""A fork of a whole server under load: the child lets go of everything, and the parent never notices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tenure.pipeline.query import ask, frames_in

FORKING = Path(__file__).parent / "forking.py"


def forked(way: str, here: Path) -> dict[str, Any]:
    command = [sys.executable, str(FORKING), way, str(here)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize(("way", "status"), [("returns", 0), ("lives on", -signal.SIGTERM), ("exits in the loop", 0)])
def test_a_fork_under_load_costs_the_parent_nothing(way: str, status: int, here: Path) -> None:
    told = forked(way, here)
    found, books = told["found"], told["books"]
    assert found.pop("connection ends", True)
    assert found.pop("port")
    assert found == {"goes on": True, "child": status, "socket there": True, "books there": False}
    acknowledged = told["acknowledged"]
    assert books["sealed"] == books["stored"] == len(acknowledged)
    assert books["handles_opened"] == books["handles_closed"] > 5
    assert books["handles_open"] == books["handles_abandoned"] == 0
    assert books["keys_opened"] == books["keys_closed"]
    on_disk = [
        f"{ms}-{seq}"
        for frame in frames_in(here / "data")
        for ms, seq in zip(frame.batch["ms"].to_pylist(), frame.batch["seq"].to_pylist(), strict=True)
    ]
    assert len(on_disk) == len(acknowledged)
    assert set(on_disk) == set(acknowledged)
    assert ask(here / "data", "SELECT sum(events)::INT FROM windows").rows == [(len(acknowledged),)]


def test_a_child_that_outlives_its_parent_keeps_neither_the_port_nor_the_directory(start: Any, here: Path) -> None:
    told = forked("outlives", here)
    child, port = told["found"]["child"], told["found"]["port"]
    try:
        server = start('[seal]\nkey_file = "key"\n', port=port)
        assert server.port == port
        with server.client() as client:
            assert client.xlen("ev") == len(told["acknowledged"])
        assert server.stop() == 0
    finally:
        os.kill(child, signal.SIGKILL)
