"""Every rule of the checker. Of the rules about a lost resource, the first that speaks has the case."""

from __future__ import annotations

from typing import Final

from tenure.check.rule import Rule
from tenure.check.rules import (
    closed_on_some_paths,
    closed_only_on_error,
    closed_twice,
    lost_in_generator,
    lost_in_init,
    lost_on_error,
    never_closed,
    rebound_while_open,
    temporary_not_closed,
    unprotected_yield,
    used_after_close,
    with_does_not_close,
    wrong_closer,
)

__all__ = ["RULES"]

RULES: Final[tuple[Rule, ...]] = (
    with_does_not_close.RULE,
    rebound_while_open.RULE,
    never_closed.RULE,
    temporary_not_closed.RULE,
    closed_only_on_error.RULE,
    closed_on_some_paths.RULE,
    lost_in_init.RULE,
    unprotected_yield.RULE,
    lost_in_generator.RULE,
    lost_on_error.RULE,
    used_after_close.RULE,
    closed_twice.RULE,
    wrong_closer.RULE,
)
