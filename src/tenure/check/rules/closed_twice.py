"""A resource is closed a second time, which is an error or closes a stranger."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Slip
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(slip: Slip) -> Draft | None:
    """The number may belong to somebody else by now."""
    if slip.misuse.rule != "closed-twice":
        return None
    return slip.draft(f"{slip.named} is closed twice: the second time it may be somebody else’s", "closed again")


RULE: Final = Rule(
    "closed-twice", "TEN302", "A resource is closed a second time, which is an error or closes a stranger.", slip=judge
)
