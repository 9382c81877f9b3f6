"""A file that this interpreter cannot read as Python, so nothing in it was checked."""

from __future__ import annotations

from typing import Final

from tenure.check.finding import Finding
from tenure.check.rule import Rule

__all__ = ["RULE", "unreadable"]

RULE: Final = Rule(
    "unreadable",
    "TEN001",
    "A file cannot be read as Python, so nothing in it was checked.",
)


def unreadable(path: str, error: Exception, what: str = "file") -> Finding:
    """The one finding of such a file, or of a folder."""
    line = getattr(error, "line", 1)
    return Finding(RULE.name, RULE.code, path, line, 1, line, f"this {what} cannot be checked: {error}", "certain", ())
