"""An order in which threads take their steps, as a value and as a string one can read, keep and replay.

``p0-gc-f-p1-p0`` is five steps: of the thread ``p0``, then ``gc``, and so on. Where a thread has several steps to
choose from, ``gc.1`` is its second (``gc`` alone is the first). A schedule that begins in another than the first of
the model's starts says so in front: ``@2-p0-gc``. ``@0`` alone is the schedule without a step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

__all__ = ["Move", "Schedule", "UnreadableSchedule", "checked_names"]

_MOVE: Final = re.compile(r"(?P<thread>[A-Za-z0-9_]+)(?:\.(?P<choice>[0-9]+))?")
_START: Final = re.compile(r"@(?P<start>[0-9]+)")
_NAME: Final = re.compile(r"[A-Za-z0-9_]+")


class UnreadableSchedule(ValueError):
    """A schedule that is not written as one, or that the model cannot follow: says where, and what was possible."""


class Move(NamedTuple):
    """One step: which thread takes it, and which of the steps it has there."""

    thread: str
    choice: int = 0

    def __str__(self) -> str:
        return f"{self.thread}.{self.choice}" if self.choice else self.thread


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which of the starts, and then which step after which."""

    moves: tuple[Move, ...] = ()
    start: int = 0

    def __str__(self) -> str:
        words = [str(move) for move in self.moves]
        if self.start or not words:
            words.insert(0, f"@{self.start}")
        return "-".join(words)

    @property
    def switches(self) -> int:
        """How often another thread takes over."""
        return sum(a.thread != b.thread for a, b in zip(self.moves, self.moves[1:], strict=False))

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """The schedule that ``str`` wrote as ``text``; raises `UnreadableSchedule`."""
        words = text.strip().split("-")
        begins = _START.fullmatch(words[0])
        moves = words[1:] if begins else words
        start = int(begins["start"]) if begins else 0
        return cls(tuple(_read(moves, at, len(words) - len(moves)) for at in range(len(moves))), start)


def _read(words: Sequence[str], at: int, offset: int) -> Move:
    found = _MOVE.fullmatch(words[at])
    if found is None:
        raise UnreadableSchedule(
            f"word {at + offset + 1} of the schedule is {words[at]!r}; expected a thread's name, "
            "or a name, a dot and a number, as in p0-gc.1-p0"
        )
    return Move(found["thread"], int(found["choice"] or 0))


def checked_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names of the threads, if a schedule can be written with them; else ``ValueError``."""
    listed = tuple(names)
    for name in listed:
        if not _NAME.fullmatch(name):
            raise ValueError(f"thread {name!r}: a schedule is written with letters, digits and _ only; rename it")
    if len(set(listed)) != len(listed):
        raise ValueError(f"two threads have one name among {', '.join(listed)}; a schedule could not tell them apart")
    return listed
