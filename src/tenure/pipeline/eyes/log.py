"""The log: one JSON object a line, made of numbers and short words only, so that no object and no secret can get in."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Final, TextIO

__all__ = ["Log", "Tell", "silent"]

Fact = int | float | str | bool
Tell = Callable[..., None]

#: Longer words are cut: what is in them came from outside.
LONGEST: Final = 200


class Log:
    """Writes what happened to a stream; ``log("stored", events=12)``.

    A line that cannot be written is counted and gone: no event waits for the log, or is lost because of it.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.time) -> None:
        self._stream, self._clock = stream, clock
        self.lost = 0

    def __call__(self, happened: str, **facts: Fact) -> None:
        """One line. Raises ``TypeError``, naming the fact, for anything but a number, a truth value or a word.

        An exact type is asked for: what derives from ``str`` could be anything, and the log must hold nobody.
        """
        for name, fact in facts.items():
            if type(fact) not in (int, float, str, bool):
                raise TypeError(f"the log takes numbers and words; {name} of {happened!r} is a {type(fact).__name__}")
        line = {"at": round(self._clock(), 3), "happened": happened, **{n: _cut(f) for n, f in facts.items()}}
        try:
            self._stream.write(json.dumps(line, ensure_ascii=True) + "\n")
            self._stream.flush()
        except OSError:
            self.lost += 1


def silent(happened: str, **facts: Fact) -> None:
    """A log that keeps nothing."""


def _cut(fact: Fact) -> Fact:
    return fact[:LONGEST] + "…" if isinstance(fact, str) and len(fact) > LONGEST else fact
