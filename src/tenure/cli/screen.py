"""The person's screen: whether it has colours, how wide it is, and a line on it that tells how far a long run is."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from tenure.explore.search import Progress

__all__ = ["ProgressLine", "SearchLine", "has_colour", "lacks_line_art", "width"]

#: A run shorter than this says nothing of its progress; after it, the line is drawn so often.
_PATIENCE: Final = 0.7
_EVERY: Final = 0.1


def has_colour(stream: TextIO, wish: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to colour what goes to ``stream``; the wish is ``auto``, ``always`` or ``never``."""
    if wish != "auto":
        return wish == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environment.get("TERM") != "dumb"


def lacks_line_art(stream: TextIO) -> bool:
    """Whether the stream's encoding has no box-drawing characters."""
    try:
        "│━⋮…".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def width(stream: TextIO) -> int:
    """How many columns there are; 100 where it is no terminal."""
    return max(40, shutil.get_terminal_size((100, 24)).columns) if stream.isatty() else 100


@dataclass
class ProgressLine:
    """One line on a terminal that is drawn over itself, and wiped at the end; nothing where it is no terminal."""

    stream: TextIO
    clock: Callable[[], float] = time.monotonic
    _began: float = field(init=False)
    _drawn: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._began = self.clock()

    def __call__(self, done: int, total: int, path: str) -> None:
        """Hear that ``done`` of ``total`` are done, ``path`` the last of them."""
        now = self.clock()
        if not self.stream.isatty() or now - self._began < _PATIENCE or now - self._drawn < _EVERY:
            return
        self._drawn = now
        text = f"{done:,} of {total:,} files  {path}"
        self.stream.write(f"\r\x1b[K{text[: width(self.stream) - 1]}")
        self.stream.flush()

    def wipe(self) -> None:
        """Leave the line empty for what comes next."""
        if self._drawn:
            self.stream.write("\r\x1b[K")
            self.stream.flush()


class SearchLine:
    """How far a search is: one line, drawn over itself on a terminal; elsewhere a line each time, if ``wanted``."""

    def __init__(self, stream: TextIO, wanted: bool = False) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._wanted = wanted or self._terminal
        self._drawn = False

    def __call__(self, progress: Progress) -> None:
        if self._wanted:
            text = (
                f"{progress.states:,} states, {progress.frontier:,} waiting, depth {progress.depth}, "
                f"{progress.rate:,.0f} states/s"
            )
            self._stream.write(f"\r\x1b[K{text}" if self._terminal else f"{text}\n")
            self._stream.flush()
            self._drawn = True

    def wipe(self) -> None:
        """Leave the line empty for what comes next."""
        if self._terminal and self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
