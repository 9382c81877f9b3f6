"""A file as the text of a program: its encoding, its name among modules, its tree."""

from __future__ import annotations

import ast
import tokenize
from io import BytesIO
from pathlib import Path
from typing import Final

__all__ = ["MAX_BYTES", "Unreadable", "decoded", "parse", "read_text", "root_and_name"]

#: Longer than this is data in the shape of a program.
MAX_BYTES: Final = 8_000_000


class Unreadable(Exception):
    """The file is no Python this interpreter can read; the message says why, ``line`` where."""

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = max(1, line)


def read_text(path: Path) -> str:
    """The source of a file in its declared encoding."""
    return decoded(path.read_bytes())


def decoded(raw: bytes) -> str:
    """The text of a source file; raises ``Unreadable`` if it is too long or in no encoding that can be read."""
    if len(raw) > MAX_BYTES:
        raise Unreadable(f"it has more than {MAX_BYTES // 1_000_000} MB")
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(raw).readline)
        return raw.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise Unreadable(f"its encoding cannot be read: {error}") from None


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
    try:
        return ast.parse(text, path)
    except SyntaxError as error:
        raise Unreadable(f"{error.msg}", error.lineno or 1) from None
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from None
