"""A close in a ``try`` that its ``finally`` does again is taken out; so is the second of two in a row."""

from __future__ import annotations

from typing import cast

import libcst as cst

from tenure.check.finding import Finding
from tenure.check.fix.place import Place, name_uses
from tenure.check.fix.remedies.change import Change
from tenure.check.fix.shape import is_close

__all__ = ["remedy"]


def remedy(place: Place, finding: Finding) -> Change | None:
    """Leave one close where there are two that run one after the other."""
    if finding.rule != "closed-twice" or not is_close(place.statement, [_code(place)]):
        return None
    around = place.parents.get(place.block)
    if isinstance(around, cst.Finally):
        return _without_first(place, cast(cst.Try, place.parents[around]))
    return _without_second(place)


def _code(place: Place) -> str:
    return place.module.code_for_node(place.call)


def _without_first(place: Place, around: cst.Try) -> Change | None:
    """The ``finally`` closes on every path; what the body does last is one close too many."""
    body = around.body.body
    if len(body) < 2 or not is_close(body[-1], [_code(place)]):
        return None
    shorter = around.with_changes(body=around.body.with_changes(body=body[:-1]))
    return Change("close it once", cast(cst.Module, place.module.deep_replace(around, shorter)))


def _without_second(place: Place) -> Change | None:
    before = place.block.body[: place.index]
    names = _names(place.call)
    for statement in reversed(before):
        if is_close(statement, [_code(place)]):
            return Change("close it once", place.with_body([*before, *place.after]))
        if any(name_uses(statement, name) for name in names):
            return None
    return None


def _names(call: cst.BaseExpression) -> set[str]:
    """The variables the call mentions."""

    class Names(cst.CSTVisitor):
        def __init__(self) -> None:
            self.found: set[str] = set()

        def visit_Name(self, node: cst.Name) -> None:
            self.found.add(node.value)

    visitor = Names()
    call.visit(visitor)
    return visitor.found
