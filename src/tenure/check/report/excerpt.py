"""The lines a story passes, each with what happens there written under it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from tenure.check.finding import Finding, Step
from tenure.check.report.style import Style, printable

__all__ = ["excerpt"]

#: Where a line's code ends: before a comment that stands apart. A hash in a string costs an underline, no more.
_COMMENT: Final = re.compile(r"\s+#[^'\"]*$")

#: A gap of as many lines or fewer is filled in, since the mark for it would take as much room.
_FILLED: Final = 1


@dataclass(frozen=True)
class _Page:
    """What every line of one excerpt needs to know."""

    source: Sequence[str]
    finding: Finding
    style: Style
    width: int  #: of the screen
    gutter: int  #: of the line numbers

    def text(self, line: int) -> str:
        return printable(self.source[line - 1].rstrip()) if 0 < line <= len(self.source) else ""

    def row(self, number: str, text: str) -> str:
        frame = self.style.paint("frame", f" {number:>{self.gutter}} {self.style.art('bar')}")
        return f"{frame} {text}".rstrip()


def excerpt(finding: Finding, source: Sequence[str], style: Style, width: int) -> Iterator[str]:
    """The screen lines that tell a finding's story; none where its file cannot be read."""
    steps = finding.story or (Step(finding.line, ""),)
    if not source:
        return
    gutter = len(str(max(step.line for step in steps)))
    page = _Page(source, finding, style, width, gutter)
    where = finding.facts.function
    yield page.row("", style.paint("dim", f"in {where}" if where else ""))
    before = 0
    for line, group in groupby(enumerate(steps, 1), key=lambda numbered: numbered[1].line):
        yield from _between(page, before, line)
        yield page.row(str(line), _cut(page.text(line), page))
        for number, step in group:
            yield page.row("", _remark(page, step, number if len(steps) > 1 else 0))
        before = line
    yield page.row("", "")


def _between(page: _Page, before: int, line: int) -> Iterator[str]:
    """What stands between two lines of the story: nothing, a line or two, or a mark that some are left out."""
    left_out = line - before - 1
    if not before or left_out == 0:
        return
    if 0 < left_out <= _FILLED:
        yield from (page.row(str(n), _cut(page.text(n), page)) for n in range(before + 1, line))
    else:
        yield page.style.paint("frame", f" {page.style.art('gap'):>{page.gutter}}")


def _remark(page: _Page, step: Step, number: int) -> str:
    """The mark under the code and what happens there."""
    start, end = _span(page, step)
    name = page.finding.certainty if step.line == page.finding.line else "note"
    label = f"{number} {step.text}" if number else step.text
    mark = page.style.art("mark") * max(1, end - start)
    return f"{' ' * start}{page.style.paint(name, mark)} {page.style.paint(name, printable(label))}".rstrip()


def _span(page: _Page, step: Step) -> tuple[int, int]:
    """From which to which screen column the step's code stands, within the screen."""
    text = page.text(step.line)
    code = _COMMENT.sub("", text)
    start, end = len(code) - len(code.lstrip()), len(code)
    finding = page.finding
    if step.line == finding.line:
        start = max(start, min(finding.column - 1, end - 1))
        (last_line, last), line_text = finding.facts.call_end, page.source[step.line - 1]
        if last_line == step.line:
            end = len(line_text.encode(errors="replace")[:last].decode(errors="replace"))
    limit = max(1, page.width - page.gutter - 6)
    start, end = _columns(text[:start]), _columns(text[:end])
    return (min(start, limit - 1), min(end, limit)) if end > start else (0, 1)


def _columns(text: str) -> int:
    """How many columns of the screen ``text`` takes."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(text: str, page: _Page) -> str:
    """``text`` as far as the screen is wide."""
    room = max(20, page.width - page.gutter - 5)
    if len(text) <= room and _columns(text) <= room:
        return text
    used, kept = 0, 0
    for kept, character in enumerate(text):  # noqa: B007
        used += _width(character)
        if used >= room:
            break
    return text[:kept] + page.style.art("more")
