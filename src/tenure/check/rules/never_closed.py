"""A resource is opened and no path closes it or hands it on."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Case
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(case: Case) -> Draft | None:
    """No path does anything about it."""
    loss = case.lost("exit", "rebound")
    if loss is None or case.site.variable is None or case.fates & {"released", "kept", "stored", "released on error"}:
        return None
    if case.pipes:
        message = f"{case.named} is waited for, but its pipe ({case.pipes}) stays open"
    elif case.site.entered:
        return None
    else:
        message = f"{case.named} is never closed"
    return case.draft(loss, message, "leaves the function without closing it")


RULE: Final = Rule(
    "never-closed",
    "TEN101",
    "A resource is opened and no path closes it or hands it on.",
    loss=judge,
)
