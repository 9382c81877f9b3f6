"""A litmus test's text as a row of tokens, each of which knows its line and column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["LitmusError", "Place", "Token", "tokens"]


class Place(NamedTuple):
    """Where something stands in a litmus test: line and column, both from 1."""

    line: int
    column: int


class LitmusError(ValueError):
    """A litmus test that cannot be understood: where, what stands there and what could have stood there."""

    def __init__(self, message: str, place: Place, origin: str = "") -> None:
        self.message, self.place, self.origin = message, place, origin
        super().__init__(message, place, origin)

    def __str__(self) -> str:
        origin = f"{self.origin}:" if self.origin else ""
        return f"{origin}{self.place.line}:{self.place.column}: {self.message}"


class Token(NamedTuple):
    """A word, a number, a string, a sign, or the end of a line or of the text."""

    kind: str  #: ``name``, ``number``, ``string``, ``sign``, ``line`` or ``end``
    text: str
    place: Place

    def __str__(self) -> str:
        text = self.text if len(self.text) <= 40 else f"{self.text[:40]}…"
        return {"line": "the end of the line", "end": "the end of the test"}.get(self.kind, f"'{text}'")


_SHAPES = re.compile(
    r"(?P<blank>[ \t\r]+|//.*)|(?P<name>[A-Za-z_][\w]*(?:-\w+)*)|(?P<number>\d+)"
    r'|(?P<string>"[^"\n]*")|(?P<sign>!=|\.\.|[{}()\[\]=.@|;,])',
    re.ASCII,
)


def tokens(text: str, origin: str = "") -> Iterator[Token]:
    """The tokens of ``text``; each line that has any ends with a ``line`` token, and the last one is ``end``."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        found = list(_of_line(line, number, origin))
        yield from found
        if found:
            yield Token("line", "", Place(number, len(line) + 1))
    yield Token("end", "", Place(len(lines) + bool(lines[-1]), 1))


def _of_line(line: str, number: int, origin: str) -> Iterator[Token]:
    at = 0
    while at < len(line):
        match = _SHAPES.match(line, at)
        place = Place(number, at + 1)
        if match is None:
            raise LitmusError(f"expected a name, a number, a string or a sign, found {line[at]!r}", place, origin)
        kind = match.lastgroup or ""
        if kind != "blank":
            yield Token(kind, match.group().strip('"'), place)
        at = match.end()
