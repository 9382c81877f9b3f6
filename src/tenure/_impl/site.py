"""A place in a program, kept as the frames that were there and turned into text only when somebody reads it."""

from __future__ import annotations

import os
import sys
from itertools import islice
from types import CodeType

__all__ = ["UNKNOWN", "Site", "capture", "forget", "intern", "line_of"]

#: Code, instruction offset, code, instruction offset, …, innermost first.
Frames = tuple[CodeType | int, ...]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep

_getframe = sys._getframe


def line_of(code: CodeType, offset: int) -> int:
    """The source line of the instruction at byte ``offset`` of ``code``; the first line where it has none."""
    line = next(islice(code.co_positions(), max(offset, 0) // 2, None), (None,))[0]
    return line or code.co_firstlineno


class Site:
    """The frames that opened a handle, innermost first; equal frames are one ``Site``, so a count can sit here."""

    __slots__ = ("_frames", "leaks")

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self.leaks = 0  #: how many abandoned handles came from here; a report is made for the first

    def frames(self) -> list[tuple[str, int, str]]:
        """File, line and function of each frame outside this package, innermost first."""
        pairs = list(zip(self._frames[::2], self._frames[1::2], strict=True))
        named = [
            (code.co_filename, line_of(code, offset), code.co_name)
            for code, offset in pairs
            if isinstance(code, CodeType) and isinstance(offset, int)
        ]
        return [frame for frame in named if not frame[0].startswith(_PACKAGE)] or named

    @property
    def place(self) -> tuple[str, int]:
        """File and line of the innermost frame, for ``warnings``; ``("<unknown>", 0)`` where none was kept."""
        frames = self.frames()
        return frames[0][:2] if frames else ("<unknown>", 0)

    def __str__(self) -> str:
        frames = self.frames()
        return _told(frames[0]) if frames else "an unknown place (sites are off, or not sampled)"

    def __repr__(self) -> str:
        return f"<Site {' < '.join(map(_told, self.frames())) or 'unknown'}>"


def _told(frame: tuple[str, int, str]) -> str:
    file, line, function = frame
    near = os.path.relpath(file) if file.startswith(os.getcwd() + os.sep) else file
    return f"{near}:{line} in {function}"


UNKNOWN = Site(())

_sites: dict[Frames, Site] = {(): UNKNOWN}


def intern(frames: Frames) -> Site:
    """The one ``Site`` of these frames."""
    site = _sites.get(frames)
    return site if site is not None else _sites.setdefault(frames, Site(frames))


def capture(skip: int, depth: int) -> Site:
    """The site of the caller's ``skip``-th caller, at most ``depth`` frames of it."""
    frame = _getframe(skip + 1) if depth else None
    kept: list[CodeType | int] = []
    while frame is not None and len(kept) < 2 * depth:
        kept += (frame.f_code, frame.f_lasti)
        frame = frame.f_back
    return intern(tuple(kept))


def forget() -> None:
    """Drop every site, and the code objects they keep."""
    _sites.clear()
    _sites[()] = UNKNOWN
