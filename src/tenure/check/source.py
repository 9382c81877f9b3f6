"""A file as the text of a program: its bytes, its encoding, its name among modules, its tree."""

from __future__ import annotations

import ast
import stat
import sys
import tokenize
import warnings
from io import BytesIO
from pathlib import Path
from typing import Final

from tenure.check.newer import newer_python

__all__ = ["MAX_BYTES", "Unreadable", "content", "decode", "parse", "read_text", "root_and_name"]

#: Longer than this is data in the shape of a program.
MAX_BYTES: Final = 8_000_000

#: What other programs put in front of texts that Python does not read; the longer marks first.
_FOREIGN_MARKS: Final = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


class Unreadable(Exception):
    """The file is no Python this interpreter can read; the message says why, ``line`` where."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = max(1, line)


def read_text(path: Path) -> str:
    """The source of a file in its declared encoding."""
    return decode(content(path))[0]


def content(path: Path) -> bytes:
    """What stands in a file. A pipe or a device is none: it might never end, or wait for somebody who never writes."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Unreadable("it is a pipe, a device or a folder, not a file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise Unreadable(f"it cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > MAX_BYTES:
        raise Unreadable(f"it has more than {MAX_BYTES // 1_000_000} MB")
    return raw


def decode(raw: bytes) -> tuple[str, str]:
    """The text of a file and its encoding, by its byte order mark or its coding comment."""
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(raw).readline)
        with _unwarned():
            return raw.decode(encoding), encoding
    except UnicodeDecodeError as error:
        raise _undecodable(raw, str(error), raw.count(b"\n", 0, error.start) + 1) from None
    except (SyntaxError, LookupError, ValueError) as error:
        raise _undecodable(raw, str(error)) from None


def _undecodable(raw: bytes, why: str, line: int = 1) -> Unreadable:
    mark = next((name for mark, name in _FOREIGN_MARKS if raw.startswith(mark)), None)
    told = why if mark is None else f"it is {mark}, which Python does not read as a program; save it as UTF-8"
    return Unreadable(f"its encoding cannot be read: {told}", line)


def _unwarned() -> warnings.catch_warnings[None]:
    """What Python warns of in somebody's file (``"\\d"``) is for whoever runs it to hear."""
    return warnings.catch_warnings(action="ignore")


def root_and_name(path: Path) -> tuple[str, str, bool]:
    """The folder imports start from, the module's dotted name below it, and whether it is a package's own file."""
    package = path.name == "__init__.py"
    parts = [] if package else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        parts.append(folder.name)
        folder = folder.parent
    return str(folder), ".".join(reversed(parts)) or path.stem, package


def parse(text: str, path: str) -> ast.Module:
    """The tree of a source text; raises ``Unreadable`` whatever is wrong with it."""
    if "\0" in text:
        raise Unreadable("it holds a null character", text.count("\n", 0, text.index("\0")) + 1)
    try:
        with _unwarned():
            return ast.parse(text, path)
    except SyntaxError as error:
        raise Unreadable(_told(error), error.lineno or 1) from None
    except (RecursionError, MemoryError):
        raise Unreadable("its code is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from None


def _told(error: SyntaxError) -> str:
    """What is wrong, and which Python it would be right for where that can be told."""
    needed = newer_python(error.text or "")
    here = ".".join(map(str, sys.version_info[:2]))
    return f"{error.msg}; it looks like Python {needed}, and this is Python {here}" if needed else str(error.msg)
