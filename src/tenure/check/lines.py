"""A file as lines, counted as Python counts them: by newline and carriage return, not by form feed and the like."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

__all__ = ["Lines", "decode", "read_lines", "relative", "split"]

#: Gives the lines of a file by its path; no lines where it cannot be read.
Lines = Callable[[str], Sequence[str]]

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def split(text: str) -> list[str]:
    """The lines of ``text``, each with its end."""
    return _LINE.findall(text)


def decode(data: bytes) -> tuple[str, str]:
    """The text of a source file and its encoding, by its byte order mark or its coding comment.

    Raises ``SyntaxError`` or ``UnicodeDecodeError`` where Python itself could not read it.
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding), encoding


def read_lines(path: str) -> Sequence[str]:
    """The lines of a file as far as they can be read, without their ends: what is odd in it must not stop a report."""
    try:
        data = Path(path).read_bytes()
    except OSError:
        return ()
    try:
        text, _ = decode(data)
    except (SyntaxError, UnicodeDecodeError):
        text = data.decode("utf-8", errors="replace")
    return [line.rstrip("\r\n") for line in split(text)]


def relative(path: str, root: Path) -> str:
    """``path`` as seen from ``root``, with forward slashes; unchanged where it lies elsewhere."""
    whole = Path(path)
    try:
        return (root / whole).relative_to(root).as_posix()
    except ValueError:
        return whole.as_posix()
