"""``f = open(p)`` becomes ``with open(p) as f:``, or a ``try`` whose ``finally`` closes it, as far as it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import libcst as cst
from libcst.helpers import get_full_name_for_node

from tenure.check.finding import Finding
from tenure.check.fix import kinds
from tenure.check.fix.place import Place, name_uses
from tenure.check.fix.reach import last_need, stays_inside
from tenure.check.fix.remedies.change import Change
from tenure.check.fix.shape import assigned_call, is_close, protected, with_block
from tenure.check.fix.tidy import tidied

__all__ = ["callee", "remedy"]


def remedy(place: Place, finding: Finding) -> Change | None:
    """Close it where the function is done with it."""
    facts = place.facts
    target = assigned_call(place.statement, place.call)
    if not isinstance(target, cst.Name) or target.value != facts.variable:
        return None
    name, close = target.value, facts.close.format(target.value)
    count = _needed(place, name, close)
    if count is None:
        return None
    body = tidied(place.after[:count], name, close)
    line = cast(cst.SimpleStatementLine, place.statement)
    if kinds.by_with(facts, callee(place)):
        asynchronous = kinds.needs_async(facts, callee(place))
        block: cst.BaseStatement = with_block([(place.call, name)], body, line, asynchronous=asynchronous)
        return _changed(place, [block], count, f"open it in {'an async with' if asynchronous else 'a with'} block")
    if not kinds.by_finally(facts) or (kinds.closes_once(facts) and _closes(body, close)):
        return None
    return _changed(place, [line, protected(body, close)], count, "close it in a finally")


def callee(place: Place) -> str:
    """The last part of the name that is called."""
    name = get_full_name_for_node(cast(cst.Call, place.call).func) or ""
    return name.rpartition(".")[2]


def _changed(place: Place, new: Sequence[cst.BaseStatement], count: int, title: str) -> Change:
    before = place.block.body[: place.index]
    return Change(title, place.with_body([*before, *new, *place.after[count:]]))


def _needed(place: Place, name: str, close: str) -> int | None:
    """How many of the following statements belong inside; None where that is not certain.

    A close among them that every path which gets there runs is what the author meant, so nothing that follows it may
    use the resource. Without one, what uses the resource, and what was made from it, tells how far it reaches.
    """
    after = place.after
    closing = [n for n, statement in enumerate(after) if _closes_here(statement, close)]
    if closing:
        inside = after[: closing[-1] + 1]
        unused = not any(name_uses(statement, name) for statement in after[closing[-1] + 1 :])
        return (
            closing[-1] + 1 if unused and stays_inside(place, {name}, inside) and not _replaced(inside, name) else None
        )
    last = last_need(place, name, after)
    return None if last is None or last < 0 else last + 1


def _closes_here(statement: cst.BaseStatement, close: str) -> bool:
    """``f.close()``, or a ``try`` that ends with it whatever happens."""
    if isinstance(statement, cst.Try) and statement.finalbody is not None:
        return any(is_close(line, close) for line in statement.finalbody.body.body)
    return is_close(statement, close)


class _Writes(cst.CSTVisitor):
    """Looks for a place that gives the name another value."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found = False

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._look(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._look(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._look(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._look(node.target)

    def visit_AsName(self, node: cst.AsName) -> None:
        self._look(node.name)

    def _look(self, target: cst.CSTNode) -> None:
        bare = [target] if isinstance(target, cst.Name) else []
        inside = [e.value for e in target.elements] if isinstance(target, cst.Tuple | cst.List) else bare
        self.found = self.found or any(isinstance(n, cst.Name) and n.value == self.name for n in inside)


def _replaced(body: Sequence[cst.BaseStatement], name: str) -> bool:
    visitor = _Writes(name)
    for statement in body:
        statement.visit(visitor)
    return visitor.found


class _Closings(cst.CSTVisitor):
    def __init__(self, close: str) -> None:
        self.wanted = cst.parse_expression(close)
        self.found = False

    def visit_Call(self, node: cst.Call) -> None:
        self.found = self.found or node.deep_equals(self.wanted)


def _closes(body: Sequence[cst.BaseStatement], close: str) -> bool:
    visitor = _Closings(close)
    for statement in body:
        statement.visit(visitor)
    return visitor.found
