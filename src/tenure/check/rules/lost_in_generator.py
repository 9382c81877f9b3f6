"""A generator holds a resource open where its consumer may stop."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Case
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(case: Case) -> Draft | None:
    """The consumer drops the generator, and what follows the ``yield`` never runs."""
    loss = case.lost("generator")
    if loss is None or not case.fates & {"released", "released on error", "kept"}:
        return None
    message = f"{case.named} stays open when the generator is dropped before its end"
    return case.draft(loss, message, "leaves the generator without closing it")


RULE: Final = Rule(
    "lost-in-generator", "TEN107", "A generator holds a resource open where its consumer may stop.", loss=judge
)
