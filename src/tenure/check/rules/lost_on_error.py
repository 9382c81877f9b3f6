"""A resource is closed, but an exception may come first."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Case
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(case: Case) -> Draft | None:
    """Every path without an exception deals with it."""
    loss = case.lost("error")
    if loss is None:
        return None
    return case.draft(
        loss,
        f"{case.named} stays open when an exception comes before it is closed",
        "leaves the function without closing it",
    )


RULE: Final = Rule(
    "lost-on-error",
    "TEN106",
    "A resource is closed, but an exception may come first.",
    loss=judge,
)
