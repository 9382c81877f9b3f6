"""Every rule of the checker, in the order of their codes."""

from __future__ import annotations

from typing import Final

from tenure.check.rule import Rule
from tenure.check.rules import never_closed

__all__ = ["RULES"]

RULES: Final[tuple[Rule, ...]] = (never_closed.RULE,)
