"""Two or more that an object keeps are opened on an ``ExitStack``, so that one that fails closes those before it."""

from __future__ import annotations

from typing import cast

import libcst as cst

from tenure.check.finding import Finding
from tenure.check.fix import kinds
from tenure.check.fix.place import Place, callee
from tenure.check.fix.remedies.change import Change
from tenure.check.fix.remedies.handed_on import attribute_of_self
from tenure.check.fix.shape import only_small, parsed, with_block

__all__ = ["remedy"]


def remedy(place: Place, finding: Finding) -> Change | None:
    """Enter each on a stack, which lets them go once all are there."""
    if place.function is None or place.block is not place.function.body:
        return None
    if not kinds.by_with(place.facts, callee(place)) or kinds.needs_async(place.facts, callee(place)):
        return None
    count = _alike(place)
    taken = "stack" in place.module.code_for_node(place.function) or not place.may_mean_module("contextlib")
    if count < 2 or taken:
        return None
    body = place.block.body
    opened = body[place.index : place.index + count]
    entered = [_entered(statement) for statement in opened]
    entered[0] = entered[0].with_changes(leading_lines=())
    block = with_block(
        [(cst.parse_expression("contextlib.ExitStack()"), "stack")], [*entered, parsed("stack.pop_all()")]
    )
    block = block.with_changes(leading_lines=cast(cst.SimpleStatementLine, opened[0]).leading_lines)
    changed = [*body[: place.index], block, *body[place.index + count :]]
    return Change("open them on an ExitStack", place.with_body(changed, ["contextlib"]))


def _alike(place: Place) -> int:
    """How many statements from the acquisition on each put a call of the same function on ``self``."""
    body = place.block.body
    first = _function(place, body[place.index])
    count = 0
    for statement in body[place.index :]:
        if first is None or _function(place, statement) != first:
            break
        count += 1
    return count


def _function(place: Place, statement: cst.BaseStatement) -> str | None:
    """What is called, where the statement is ``self.name = call(...)``."""
    small = only_small(statement)
    if not isinstance(small, cst.Assign) or len(small.targets) != 1 or not isinstance(small.value, cst.Call):
        return None
    own = attribute_of_self(place, small.targets[0].target)
    return None if own is None else place.module.code_for_node(small.value.func)


def _entered(statement: cst.BaseStatement) -> cst.BaseStatement:
    """``self.a = open(p)`` as ``self.a = stack.enter_context(open(p))``."""
    assign = cast(cst.Assign, only_small(statement))
    call = cst.Call(cst.parse_expression("stack.enter_context"), [cst.Arg(assign.value)])
    return cast(cst.SimpleStatementLine, statement.deep_replace(assign.value, call))
