"""A resource is closed on one path and left open on another."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Case
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(case: Case) -> Draft | None:
    """Some path closes it, some other does not."""
    loss = case.lost("exit", "rebound", "temporary")
    if loss is None or not case.handled:
        return None
    if case.pipes:
        return case.draft(
            loss, f"{case.named} is waited for, but its pipe ({case.pipes}) stays open", "the pipe stays open"
        )
    return case.draft(
        loss, f"{case.named} is closed on some paths, not on this one", "leaves the function without closing it"
    )


RULE: Final = Rule(
    "closed-on-some-paths", "TEN104", "A resource is closed on one path and left open on another.", loss=judge
)
