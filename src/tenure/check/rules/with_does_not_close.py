"""A with statement manages a transaction and does not close the connection."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Case
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(case: Case) -> Draft | None:
    """``with sqlite3.connect(...)`` commits or rolls back, and leaves the connection open."""
    loss = case.lost("exit", "rebound", "temporary")
    if loss is None or not case.site.entered or case.fates & {"released", "kept", "stored"}:
        return None
    message = f"{case.named} is not closed by `with`, which ends a transaction only; use contextlib.closing"
    return case.draft(loss, message, "leaves the function without closing it")


RULE: Final = Rule(
    "with-does-not-close",
    "TEN602",
    "A with statement manages a transaction and does not close the connection.",
    loss=judge,
)
