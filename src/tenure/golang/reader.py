"""Goes through the tokens of a litmus test, and says what was expected where something else stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from tenure.golang.tokens import LitmusError, Token

__all__ = ["Reader"]

#: Nothing stands deeper than this, in steps or in a question.
_DEEPEST: Final = 30


class Reader:
    """A row of tokens, read from left to right with one token of foresight."""

    def __init__(self, row: Iterable[Token], origin: str) -> None:
        self._row, self._at, self._origin = list(row), 0, origin
        self._depth = 0

    # -- one token

    @property
    def _next(self) -> Token:
        return self._row[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += token.kind != "end"
        return token

    def _is(self, *texts: str) -> bool:
        return self._next.kind in ("name", "sign") and self._next.text in texts

    def _accept(self, text: str) -> bool:
        found = self._is(text)
        self._at += found
        return found

    def _fail(self, expected: str, token: Token | None = None) -> LitmusError:
        token = token or self._next
        return LitmusError(f"expected {expected}, found {token}", token.place, self._origin)

    def _sign(self, text: str, why: str = "") -> None:
        if not self._accept(text):
            raise self._fail(f"'{text}'{why}")

    def _kind(self, kind: str, expected: str) -> str:
        if self._next.kind != kind:
            raise self._fail(expected)
        return self._take().text

    def _word(self, expected: str) -> str:
        return self._kind("name", expected)

    def _number(self, expected: str, least: int, most: int) -> int:
        """A number that is not absurd: a test is answered by visiting all that it can do."""
        token = self._next
        text = self._kind("number", f"{expected}, {least} to {most}")
        if len(text) > 9 or not least <= int(text) <= most:
            raise self._fail(f"{expected}, {least} to {most}", token)
        return int(text)

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """One level deeper."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._fail(f"no more than {_DEEPEST} levels one in another")
        yield
        self._depth -= 1

    def _lines(self) -> None:
        while self._next.kind == "line":
            self._at += 1

    def _end_of_line(self) -> None:
        if self._next.kind not in ("line", "end"):
            raise self._fail("the end of the line")
        self._lines()
