"""A place for what a test releases, and a way to run a program of its own."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator

import pytest

import tenure
from tenure.errors import TenureWarning
from tenure.runtime import abandoned

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def released() -> list[int]:
    """Tokens, in the order they were released; its ``append`` is a release function."""
    return []


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[TenureWarning]]:
    """What the safety net says, instead of a warning."""
    said: list[TenureWarning] = []

    def say(message: object, *rest: object, **options: object) -> None:
        assert isinstance(message, TenureWarning)
        said.append(message)

    with monkeypatch.context() as patch:
        patch.setattr(warnings, "warn_explicit", say)
        yield said
        tenure.drain()


@pytest.fixture
def run() -> Run:
    """Run a program in an interpreter of its own; the answer has its output, and its error output without waiting."""

    def runs(program: str, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *flags, "-c", textwrap.dedent(program)]
        import os

        return subprocess.run(
            command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
        )

    return runs


@pytest.fixture
def full_collection() -> Iterator[Callable[[], None]]:
    """A full collection, and whatever it queued; no other collection takes place during the test.

    What was there before is frozen, or each collection would walk over the test runner's own hundred megabytes.
    """

    def collect() -> None:
        gc.collect()
        abandoned.drain()

    gc.disable()
    gc.freeze()
    try:
        yield collect
        collect()
    finally:
        gc.unfreeze()
        gc.enable()
