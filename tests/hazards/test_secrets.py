"""What was a secret is found nowhere in the process's memory after it was closed."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hazards.conftest import Run, only_once

Copies = Callable[[str, str], int]


@pytest.fixture
def copies(run: Run, tmp_path: Path) -> Copies:
    """How many copies of the key a victim finds in its own memory."""
    key = os.urandom(1704)
    file = tmp_path / "key"
    file.write_bytes(key)
    (tmp_path / "key.json").write_text(json.dumps({"user": "x", "key": base64.b64encode(key).decode()}))
    masked = bytes(byte ^ 0x55 for byte in key[800:848]).hex()  # or the search would find its own question

    def found(function: str, how: str) -> int:
        outcome = run("secret_left", function, how, str(file), masked)
        assert outcome.status == 0, outcome.told
        return int(outcome.out)

    return found


@pytest.mark.parametrize("way", ["config", "exception", "forked"])
def test_no_copy_is_left(way: str, copies: Copies) -> None:
    assert copies(way, "protected") == copies("control", "protected")


@only_once
@pytest.mark.parametrize("way", ["config", "exception", "forked"])
def test_copies_are_left_of_what_was_no_secret_buffer(way: str, copies: Copies) -> None:
    assert copies(way, "bare") > copies("control", "protected")


def test_a_log_shows_nothing_of_a_secret(run: Run) -> None:
    protected, bare = (run("secret_left", "shown", how, "", "") for how in ("protected", "bare"))
    assert "horse battery" not in protected.told
    assert "SecretBuffer handle" in protected.err
    assert "horse battery" in bare.told
