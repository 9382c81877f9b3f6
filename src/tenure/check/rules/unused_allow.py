"""A comment allows something that is not found there (any more), or names no rule."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from tenure.check.allow import Allowance
from tenure.check.finding import Finding
from tenure.check.rule import Rule

__all__ = ["RULE", "unused"]

RULE: Final = Rule(
    "unused-allow",
    "TEN002",
    "A comment allows something that is not found there, or names no rule.",
)


def unused(allowance: Allowance, path: str, known: Collection[str]) -> Finding:
    """What there is to say about an allowance that allowed nothing."""
    if allowance.rule in known:
        message = f"nothing here is {allowance.rule}: the comment that allows it can go"
    else:
        message = f"there is no rule {allowance.rule!r}: `tenure check --rules` lists them all"
    line = allowance.written
    return Finding(RULE.name, RULE.code, path, line, allowance.column + 1, line, message, "certain", ())
