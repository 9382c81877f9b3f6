"""A context manager does not close its resource when the body of the with statement fails."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Case
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(case: Case) -> Draft | None:
    """``@contextmanager`` throws the body’s exception in at the ``yield``."""
    loss = case.lost("error")
    if loss is None or not case.walk.is_context_manager or not case.handled:
        return None
    message = f"{case.named} stays open when the body of the with statement raises: the yield is not in a try/finally"
    return case.draft(loss, message, "leaves the context manager without closing it")


RULE: Final = Rule(
    "unprotected-yield",
    "TEN601",
    "A context manager does not close its resource when the body of the with statement fails.",
    loss=judge,
)
