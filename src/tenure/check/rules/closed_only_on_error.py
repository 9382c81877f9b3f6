"""A resource is closed when something fails and left open when all goes well."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Case
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(case: Case) -> Draft | None:
    """Only a handler closes it."""
    loss = case.lost("exit", "rebound")
    if loss is None or case.handled or "released on error" not in case.fates:
        return None
    message = f"{case.named} is closed when an exception comes, and stays open when none does"
    return case.draft(loss, message, "leaves the function without closing it")


RULE: Final = Rule(
    "closed-only-on-error",
    "TEN105",
    "A resource is closed when something fails and left open when all goes well.",
    loss=judge,
)
