"""A place in a program, kept as the frames that were there and turned into text only when somebody reads it."""

from __future__ import annotations

import os
import sys
from itertools import islice
from types import CodeType, FrameType

__all__ = ["UNKNOWN", "Site", "capture", "intern", "line_of", "outside"]

#: Code and instruction offset of each frame, innermost first.
Frames = tuple[tuple[CodeType, int], ...]

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
        self.leaks = 0  #: how many abandoned handles came from here

    def frames(self) -> list[tuple[str, int, str]]:
        """File, line and function of each frame outside this package, innermost first."""
        named = [(code.co_filename, line_of(code, offset), code.co_name) for code, offset in self._frames]
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

# By offset and identity of code, as hashing a code object walks through it. A Site keeps its code objects alive, so an
# identity in here stays taken.
_sites: dict[tuple[int, ...], Site] = {}


def capture(frame: FrameType | None, depth: int) -> Site:
    """The site of ``frame``: itself and its callers, ``depth`` in all."""
    if depth == 3 and frame is not None and (second := frame.f_back) is not None:
        third = second.f_back  # unrolled, because every open pays for it
        if third is not None:
            key = (
                frame.f_lasti,
                second.f_lasti,
                third.f_lasti,
                id(frame.f_code),
                id(second.f_code),
                id(third.f_code),
            )
            site = _sites.get(key)
            if site is not None:
                return site
    return intern(_walked(frame, depth))


def outside(frame: FrameType | None) -> FrameType | None:
    """``frame``, or its nearest caller that is not of this package."""
    while frame is not None and frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def intern(frames: Frames) -> Site:
    """The one ``Site`` of these frames."""
    key = (*(offset for _, offset in frames), *(id(code) for code, _ in frames))
    return _sites.setdefault(key, Site(frames)) if frames else UNKNOWN


def _walked(frame: FrameType | None, depth: int) -> Frames:
    kept: list[tuple[CodeType, int]] = []
    while frame is not None and len(kept) < depth:
        kept.append((frame.f_code, frame.f_lasti))
        frame = frame.f_back
    return tuple(kept)
