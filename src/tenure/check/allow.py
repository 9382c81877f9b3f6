"""Comments that allow a finding: ``# tenure: allow never-closed (the reason)``."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tenure.check.finding import Finding

__all__ = ["Allowance", "allowances", "sifted"]

_COMMENT: Final = re.compile(r"\btenure:\s*allow\s+([\w-]+(?:\s*,\s*[\w-]+)*)")


@dataclass(slots=True)
class Allowance:
    """One name in one comment, and the line it speaks of."""

    rule: str
    line: int  #: the line it is about, or the first of them
    last: int
    written: int  #: the line it stands on
    column: int
    used: bool = field(default=False)


def allowances(text: str) -> list[Allowance]:
    """Every allowance of a source text; one that stands alone speaks of the next statement."""
    reader = _Reader()
    if "tenure:" in text:
        try:
            for token in tokenize.generate_tokens(io.StringIO(text, newline=None).readline):
                reader.take(token)
        except (tokenize.TokenError, SyntaxError, ValueError):
            pass  # what came before the trouble still counts; the file itself is reported as unreadable
    return reader.found


class _Reader:
    """Hears one token after the other, and knows the statement it is in."""

    def __init__(self) -> None:
        self.found: list[Allowance] = []
        self.alone: list[Allowance] = []  #: on lines of their own, before the statement they speak of
        self.inside: list[Allowance] = []  #: of the statement that is being read
        self.first = 0  #: where that began; 0 between statements
        self.code_on = 0

    def take(self, token: tokenize.TokenInfo) -> None:
        if token.type == tokenize.COMMENT:
            self.comment(token)
        elif token.type == tokenize.NEWLINE:
            self.end(token.start[0])
        elif token.type not in _BLANK:
            self.begin(token.start[0])
            self.code_on = token.end[0]

    def comment(self, token: tokenize.TokenInfo) -> None:
        names, (line, column) = _COMMENT.search(token.string), token.start
        made = [Allowance(n.strip(), line, line, line, column) for n in names[1].split(",")] if names else []
        self.found.extend(made)
        (self.inside if self.code_on == line else self.alone).extend(made)

    def begin(self, line: int) -> None:
        self.first = self.first or line
        for allowance in self.alone:
            allowance.line = allowance.last = line
        self.inside.extend(self.alone)
        self.alone.clear()

    def end(self, last: int) -> None:
        """At its first or its last line one speaks of a whole statement, in between of the line alone."""
        for allowance in self.inside:
            if allowance.line in (self.first, last):
                allowance.line, allowance.last = self.first, last
        self.inside.clear()
        self.first = 0


_BLANK: Final = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENCODING)


def sifted(findings: Iterable[Finding], allowed: list[Allowance]) -> Iterator[Finding]:
    """The findings nobody allowed; allowances that were needed are marked as used."""
    for finding in findings:
        fitting = [a for a in allowed if a.rule in (finding.rule, finding.code) and _covers(a, finding)]
        for allowance in fitting:
            allowance.used = True
        if not fitting:
            yield finding


def _covers(allowance: Allowance, finding: Finding) -> bool:
    return finding.line <= allowance.last and allowance.line <= max(finding.line, finding.end_line)
