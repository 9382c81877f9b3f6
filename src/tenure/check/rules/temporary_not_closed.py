"""A resource is opened in the middle of an expression, so nobody can close it."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Case
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(case: Case) -> Draft | None:
    """Nothing ever had a name for it."""
    loss = case.lost("temporary", "exit")
    if loss is None or case.site.variable is not None:
        return None
    message = f"{case.named} is never given a name, so nothing closes it"
    return case.draft(loss, message, "dropped without being closed")


RULE: Final = Rule(
    "temporary-not-closed",
    "TEN102",
    "A resource is opened in the middle of an expression, so nobody can close it.",
    loss=judge,
)
