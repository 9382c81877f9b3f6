"""How many of the statements after an acquisition belong inside the block that closes it."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from tenure.check.fix import kinds
from tenure.check.fix.place import Place, callee, name_uses
from tenure.check.fix.reach import last_need, stays_inside
from tenure.check.fix.shape import is_close

__all__ = ["asked_for_none", "extent"]


def extent(place: Place, name: str, names: Sequence[str], closes: Sequence[str]) -> int | None:
    """The number of following statements that belong inside; None where that is not certain.

    A close among them that every path which gets there runs is what the author meant, so nothing that follows it may
    use the resource. Without one, what uses the resource, and what was made from it, tells how far it reaches.
    """
    after = place.after
    if asked_for_none(after, name):
        return None
    closing = [n for n, statement in enumerate(after) if _closes_here(statement, closes)]
    tied = set(names) if kinds.siblings_matter(callee(place)) else {name}
    if closing and tied == {name}:
        return _up_to(place, name, closing[-1])
    if kinds.ends_politely(callee(place)) or kinds.may_guard(place.facts):
        return None
    last = last_need(place, tied, after)
    return None if last is None else last + 1


def _up_to(place: Place, name: str, last: int) -> int | None:
    inside, outside = place.after[: last + 1], place.after[last + 1 :]
    unused = not any(name_uses(statement, name) for statement in outside)
    certain = unused and stays_inside(place, {name}, inside) and not _replaced(inside, name)
    return last + 1 if certain else None


def _closes_here(statement: cst.BaseStatement, closes: Sequence[str]) -> bool:
    """``f.close()``, or a ``try`` that ends with it whatever happens."""
    if isinstance(statement, cst.Try) and statement.finalbody is not None:
        return any(is_close(line, closes) for line in statement.finalbody.body.body)
    return is_close(statement, closes)


class _Asks(cst.CSTVisitor):
    """Looks for a test whether the name is there at all."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found = False

    def visit_If(self, node: cst.If) -> None:
        self._look(node.test)

    def visit_IfExp(self, node: cst.IfExp) -> None:
        self._look(node.test)

    def visit_While(self, node: cst.While) -> None:
        self._look(node.test)

    def visit_Assert(self, node: cst.Assert) -> None:
        self._look(node.test)

    def visit_BooleanOperation(self, node: cst.BooleanOperation) -> None:
        self._look(node.left)
        self._look(node.right)

    def visit_UnaryOperation(self, node: cst.UnaryOperation) -> None:
        self._look(node.expression)

    def visit_Comparison(self, node: cst.Comparison) -> None:
        self._look(node.left)

    def _look(self, test: cst.BaseExpression) -> None:
        self.found = self.found or (isinstance(test, cst.Name) and test.value == self.name)


def asked_for_none(body: Sequence[cst.BaseStatement], name: str) -> bool:
    """Whether ``body`` asks if there is anything to close: then there may be nothing, and ``with`` would fail."""
    visitor = _Asks(name)
    for statement in body:
        statement.visit(visitor)
    return visitor.found


class _Writes(cst.CSTVisitor):
    """Looks for a place that gives the name another value."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found = False

    def visit_AssignTarget(self, node: cst.AssignTarget) -> None:
        self._look(node.target)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._look(node.target)

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._look(node.target)

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._look(node.target)

    def visit_For(self, node: cst.For) -> None:
        self._look(node.target)

    def visit_CompFor(self, node: cst.CompFor) -> None:
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
