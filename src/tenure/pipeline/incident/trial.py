"""Runs each remedy in child processes and keeps what became of them: signals, counts, rates."""

from __future__ import annotations

import json
import re
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import IO, Final

from tenure.pipeline.incident.memory import MEMORIES
from tenure.pipeline.incident.remedies import REMEDIES

__all__ = ["Life", "Outcome", "last_words", "live_through", "try_remedy"]

#: How long a child may say nothing, in seconds; it has something to say ten times a second.
LIMIT: Final = 120


@dataclass
class Life:
    """One child: how far it came, and how it ended."""

    memory: str
    died: str  #: the signal's name, or nothing
    first_line: str  #: of what it said as it died
    requests: int = 0
    refused: int = 0
    wrong: int = 0
    opened: int = 0
    closed: int = 0
    seconds: float = 0.0
    grown: float = 0.0  #: resident bytes a request, once warm
    reported: int = 0

    @property
    def double_frees(self) -> int:
        """Frees beyond what was opened; and one if the C library or a guard page caught it in the act."""
        caught = "double free" in self.first_line or "in _free" in self.first_line
        return max(self.closed - self.opened, 0) or int(caught)

    @property
    def leaked(self) -> int:
        """Keys that were never freed, if it lived to the end."""
        return 0 if self.died else max(self.opened - self.closed, 0)


@dataclass
class Outcome:
    """What became of one remedy."""

    remedy: str
    sentence: str
    lives: list[Life] = field(default_factory=list)

    @property
    def crashes(self) -> int:
        return sum(bool(life.died) for life in self.lives)

    def total(self, fact: str) -> int:
        """Of all its children together."""
        return sum(getattr(life, fact) for life in self.lives)

    @property
    def rate(self) -> float | None:
        """Requests a second, of the children that lived."""
        seconds = sum(life.seconds for life in self.lives)
        return sum(life.requests for life in self.lives if life.seconds) / seconds if seconds else None

    @property
    def slope(self) -> float | None:
        """Bytes of resident memory a request with plain memory, of the children that lived."""
        slopes = [life.grown for life in self.lives if life.seconds and life.memory == "plain"]
        return median(slopes) if slopes else None

    @property
    def first_line(self) -> str:
        """Of the first crash."""
        return next((life.first_line for life in self.lives if life.died), "")


def live_through(requests: int, runs: int, progress: Callable[[str, int], None]) -> list[Outcome]:
    """Every remedy, ``runs`` times with each kind of memory; ``progress`` hears a remedy and its requests so far."""
    return [try_remedy(remedy, requests, runs, progress) for remedy in REMEDIES]


def try_remedy(remedy: str, requests: int, runs: int, progress: Callable[[str, int], None]) -> Outcome:
    """One remedy, ``runs`` times with each kind of memory."""
    outcome = Outcome(remedy, REMEDIES[remedy][0])
    for number, memory in enumerate(memory for memory in MEMORIES for _ in range(runs)):
        before = number * requests
        outcome.lives.append(_child(remedy, memory, requests, partial(_told, progress, remedy, before)))
        progress(remedy, before + requests)
    return outcome


def _told(progress: Callable[[str, int], None], remedy: str, before: int, served: int) -> None:
    progress(remedy, before + served)


def _child(remedy: str, memory: str, requests: int, progress: Callable[[int], None]) -> Life:
    command = [sys.executable, "-m", "tenure.pipeline.incident.child", remedy, memory, str(requests)]
    last: dict[str, float] = {}
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as child,
    ):
        for line in _lines(child):
            last = json.loads(line)
            progress(min(int(last["requests"]), requests))
        code = child.wait()
        died = signal.Signals(-code).name if code < 0 else ("" if code == 0 else f"exit status {code}")
        return Life(memory, died, last_words(errors) if died else "", **last)  # type: ignore[arg-type]


def _lines(child: subprocess.Popen[str]) -> Iterator[str]:
    """What a child says. One that falls silent is killed: whose heap is broken may hang as it dies, its pipe open."""
    assert child.stdout is not None
    while True:
        if not select.select([child.stdout], [], [], LIMIT)[0]:
            child.kill()
        line = child.stdout.readline()
        if not line:
            return
        yield line


def last_words(errors: IO[str]) -> str:
    """What the C library or the interpreter said first as it died; of a traceback its last line, and where that was."""
    errors.seek(0)
    lines = [line.strip() for line in errors if line.strip()]
    if lines and lines[0].startswith("Traceback"):
        lines.reverse()
    where = next((re.sub(r'"(?:.*/)?', '"', line, count=1) for line in lines if line.startswith("File ")), "")
    return " · ".join(filter(None, [*lines[:1], where]))
