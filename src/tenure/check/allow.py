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
    line: int  #: the line it is about
    written: int  #: the line it stands on
    column: int
    used: bool = field(default=False)


def allowances(text: str) -> list[Allowance]:
    """Every allowance of a source text; one that stands alone speaks of the next line of code."""
    if "tenure:" not in text:
        return []
    found: list[Allowance] = []
    waiting: list[Allowance] = []
    code_on = 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            line = token.start[0]
            if token.type == tokenize.COMMENT:
                names = _COMMENT.search(token.string)
                made = [Allowance(n.strip(), line, line, token.start[1]) for n in names[1].split(",")] if names else []
                found.extend(made)
                waiting.extend(made if code_on != line else [])
            elif token.type not in _BLANK:
                code_on = token.end[0]
                for allowance in waiting:
                    allowance.line = line
                waiting.clear()
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass  # what came before the trouble still counts; the file itself is reported as unreadable
    return found


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
    return finding.line <= allowance.line <= max(finding.line, finding.end_line)
