"""A resource is used after it was closed."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Slip
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(slip: Slip) -> Draft | None:
    """The path closes it first."""
    if slip.misuse.rule != "used-after-close":
        return None
    word = slip.misuse.word
    used = "returned" if word == "returned" else f"used (`{word}`)"
    return slip.draft(f"{slip.named} is {used} after it was closed", f"{used} here, after it was closed")


RULE: Final = Rule(
    "used-after-close",
    "TEN301",
    "A resource is used after it was closed.",
    slip=judge,
)
