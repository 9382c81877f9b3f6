"""A file as lines, counted as Python counts them: by newline and carriage return, not by form feed and the like."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tenure.check.source import Unreadable, content, decode

__all__ = ["Lines", "read_lines", "relative", "split"]

#: Gives the lines of a file by its path; no lines where it cannot be read.
Lines = Callable[[str], Sequence[str]]

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def split(text: str) -> list[str]:
    """The lines of ``text``, each with its end."""
    return _LINE.findall(text)


def read_lines(path: str) -> Sequence[str]:
    """The lines of a file as far as they can be read, without their ends: what is odd in it must not stop a report."""
    try:
        data = content(Path(path))
    except Unreadable:
        return ()
    try:
        text, _ = decode(data)
    except Unreadable:
        text = data.decode("utf-8", errors="replace")
    return [line.rstrip("\r\n") for line in split(text)]


def relative(path: str, root: Path) -> str:
    """``path`` as seen from ``root``, with forward slashes; unchanged where it lies elsewhere."""
    whole = Path(path)
    try:
        return (root / whole).relative_to(root).as_posix()
    except ValueError:
        return whole.as_posix()
