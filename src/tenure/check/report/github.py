"""The report for GitHub Actions: one workflow command a finding, shown beside the line in the pull request."""

from __future__ import annotations

from typing import Final

from tenure.check.finding import Finding
from tenure.check.report.answer import Answer

__all__ = ["render"]

#: What the runner would read as syntax; the percent sign first, since the others bring it in.
_IN_TEXT: Final = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_IN_PROPERTY: Final = (*_IN_TEXT, (":", "%3A"), (",", "%2C"))

_LEVELS: Final = {"certain": "error", "likely": "warning"}


def render(answer: Answer) -> str:
    """A line such as ``::warning file=a.py,line=2,col=9,title=never-closed::the file …``."""
    return "".join(_command(finding, answer.shown(finding)) for finding in answer.report.findings)


def _command(finding: Finding, path: str) -> str:
    level = _LEVELS.get(finding.certainty, "notice")
    place = {
        "file": path,
        "line": str(finding.line),
        "col": str(finding.column),
        "title": f"{finding.rule} ({finding.code})",
    }
    properties = ",".join(f"{key}={_escaped(value, _IN_PROPERTY)}" for key, value in place.items())
    story = "".join(f"\nline {step.line}: {step.text}" for step in finding.story)
    return f"::{level} {properties}::{_escaped(finding.message + story, _IN_TEXT)}\n"


def _escaped(text: str, table: tuple[tuple[str, str], ...]) -> str:
    for character, replacement in table:
        text = text.replace(character, replacement)
    return text
