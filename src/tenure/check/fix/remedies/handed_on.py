"""What is returned or kept on ``self`` in the end is closed where an exception comes first, and raised again."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from tenure.check.finding import Finding
from tenure.check.fix import kinds
from tenure.check.fix.extent import asked_for_none
from tenure.check.fix.place import Place, name_uses
from tenure.check.fix.reach import stays_inside
from tenure.check.fix.remedies.change import Change
from tenure.check.fix.shape import assigned_call, closing_calls, only_small, released_on_error
from tenure.check.fix.tidy import tidied

__all__ = ["attribute_of_self", "remedy"]


def remedy(place: Place, finding: Finding) -> Change | None:
    """Wrap what comes between the acquisition and the handing on."""
    if place.function is None or place.block is not place.function.body or not kinds.by_finally(place.facts):
        return None
    if place.facts.close.startswith("os.") and not place.may_mean_module("os"):
        return None
    target = assigned_call(place.statement, place.call)
    if isinstance(target, cst.Name):
        return _returned(place, target.value)
    own = attribute_of_self(place, target)
    return _kept(place, own) if own is not None else None


def attribute_of_self(place: Place, target: cst.BaseExpression | None) -> str | None:
    """``self.file``, where the target is an attribute of the method's own object."""
    if not isinstance(target, cst.Attribute) or not isinstance(target.value, cst.Name) or place.function is None:
        return None
    parameters = place.function.params.params
    own = parameters[0].name.value if parameters else ""
    return f"{own}.{target.attr.value}" if own == target.value.value else None


def _returned(place: Place, name: str) -> Change | None:
    """``f = open(p)`` … ``return f``."""
    small = only_small(place.after[-1]) if place.after else None
    if not isinstance(small, cst.Return) or small.value is None or not name_uses(small.value, name):
        return None
    if not stays_inside(place, {name}, place.after) or asked_for_none(place.after, name):
        return None
    close = place.facts.close.format(name)
    between = tidied(place.after[:-1], name, [close])
    return _wrapped(place, between, close, [place.after[-1]])


def _kept(place: Place, attribute: str) -> Change | None:
    """``self.file = open(p)``, and the rest of the method that may raise."""
    after = list(place.after)
    last = [after.pop()] if after and isinstance(only_small(after[-1]), cst.Return) else []
    written = f"{attribute} = "
    if any(place.module.code_for_node(statement).strip().startswith(written) for statement in after):
        return None
    if any(_catches_all(statement) for statement in after):
        return None
    return _wrapped(place, after, place.facts.close.format(attribute), last)


class _Catches(cst.CSTVisitor):
    def __init__(self) -> None:
        self.found = False

    def visit_ExceptHandler(self, node: cst.ExceptHandler) -> None:
        bare = node.type is None or (isinstance(node.type, cst.Name) and node.type.value == "BaseException")
        self.found = self.found or bare


def _catches_all(statement: cst.BaseStatement) -> bool:
    """Whether there is a handler for every exception: then somebody has thought of what happens on one."""
    visitor = _Catches()
    statement.visit(visitor)
    return visitor.found


def _wrapped(
    place: Place, between: Sequence[cst.BaseStatement], close: str, last: Sequence[cst.BaseStatement]
) -> Change | None:
    if not between or (kinds.closes_once(place.facts) and closing_calls(between, close)):
        return None
    before = place.block.body[: place.index]
    body = [*before, place.statement, released_on_error(between, close), *last]
    return Change("close it where an exception comes first", place.with_body(body))
