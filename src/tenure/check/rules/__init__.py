"""Every rule of the checker. Of the rules about a lost resource, the first that speaks has the case."""

from __future__ import annotations

from typing import Final

from tenure.check.rule import Rule
from tenure.check.rules import (
    address_of_temporary,
    attribute_not_closed,
    callback_not_kept,
    close_misses_attribute,
    closed_on_some_paths,
    closed_only_on_error,
    closed_twice,
    dead_weakref_in_finalizer,
    del_blocks,
    del_closes_again,
    del_half_built,
    del_resurrects,
    del_touches_finalizable,
    del_uses_globals,
    finalizer_keeps_alive,
    finalizer_replaced,
    lost_in_generator,
    lost_in_init,
    lost_on_error,
    never_closed,
    override_skips_close,
    owned_twice,
    pointer_outlives_owner,
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
    attribute_not_closed.RULE,
    close_misses_attribute.RULE,
    override_skips_close.RULE,
    used_after_close.RULE,
    closed_twice.RULE,
    wrong_closer.RULE,
    owned_twice.RULE,
    finalizer_keeps_alive.RULE,
    dead_weakref_in_finalizer.RULE,
    finalizer_replaced.RULE,
    del_resurrects.RULE,
    del_blocks.RULE,
    del_touches_finalizable.RULE,
    del_uses_globals.RULE,
    del_half_built.RULE,
    del_closes_again.RULE,
    address_of_temporary.RULE,
    pointer_outlives_owner.RULE,
    callback_not_kept.RULE,
)
