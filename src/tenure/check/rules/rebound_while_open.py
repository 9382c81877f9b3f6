"""A name is bound anew, or deleted, while it is the last one of an open resource."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Case
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(case: Case) -> Draft | None:
    """The only name for it goes to something else."""
    loss = case.lost("rebound")
    if loss is None or loss.line == case.site.line:
        return None
    return case.draft(
        loss, f"{case.named} is still open when its name is bound anew or deleted", "the last name for it is gone"
    )


RULE: Final = Rule(
    "rebound-while-open",
    "TEN103",
    "A name is bound anew, or deleted, while it is the last one of an open resource.",
    loss=judge,
)
