"""An object that fails half-way through its construction leaves a resource open."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Case
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(case: Case) -> Draft | None:
    """Nobody gets the object, so nobody can close what it holds."""
    loss = case.lost("init")
    if loss is None:
        return None
    name = f"`self.{case.site.attribute}`" if case.site.attribute else case.named
    message = f"{name} ({case.site.kind.noun}) stays open when {case.walk.function.name} raises: nobody gets the object"
    return case.draft(loss, message, "the half-built object is gone, and with it the way to close it")


RULE: Final = Rule(
    "lost-in-init",
    "TEN108",
    "An object that fails half-way through its construction leaves a resource open.",
    loss=judge,
)
