"""The command as a whole."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("command", ["litmus --all", "check --explain never-closed", "explore lifecycle --format json"])
def test_a_reader_that_has_seen_enough_is_no_error(command: str) -> None:
    program = [sys.executable, "-m", "tenure", *command.split()]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
