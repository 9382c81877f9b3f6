"""A resource is closed by the wrong one of two: its new owner closes it as well."""

from __future__ import annotations

from typing import Final

from tenure.check.cases import Slip
from tenure.check.rule import Draft, Rule

__all__ = ["RULE", "judge"]


def judge(slip: Slip) -> Draft | None:
    """``os.fdopen(fd)`` made a file that owns ``fd``."""
    if slip.misuse.rule != "wrong-closer":
        return None
    message = f"{slip.named} belongs to the object made from it; close that instead of calling {slip.misuse.word}"
    return slip.draft(message, "closed here although another object owns it")


RULE: Final = Rule(
    "wrong-closer",
    "TEN303",
    "A resource is closed by the wrong one of two: its new owner closes it as well.",
    slip=judge,
)
