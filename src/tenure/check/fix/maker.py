"""Whether a function of the same file, which opens something for its caller, may come back with nothing."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst
from libcst.helpers import get_full_name_for_node

__all__ = ["may_give_nothing"]


def may_give_nothing(module: cst.Module, call: cst.BaseExpression) -> bool:
    """Whether a function the call may reach ends without a value, or with None: a ``with`` would fail on that."""
    name = (get_full_name_for_node(call) or "").rpartition(".")[2]
    finder = _Makers(name)
    module.visit(finder)
    return any(_gives_nothing(maker) for maker in finder.found)


class _Makers(cst.CSTVisitor):
    """Finds the functions of a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[cst.FunctionDef] = []

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        if node.name.value == self.name:
            self.found.append(node)


class _Returns(cst.CSTVisitor):
    """Looks for a ``return`` of nothing."""

    def __init__(self) -> None:
        self.nothing = False
        self.yields = False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False

    def visit_Yield(self, node: cst.Yield) -> None:
        self.yields = True

    def visit_Return(self, node: cst.Return) -> None:
        self.nothing = self.nothing or node.value is None or _may_be_nothing(node.value)


def _may_be_nothing(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.IfExp):
        return _may_be_nothing(value.body) or _may_be_nothing(value.orelse)
    return isinstance(value, cst.BaseNumber | cst.BaseString) or (isinstance(value, cst.Name) and value.value == "None")


def _gives_nothing(maker: cst.FunctionDef) -> bool:
    returns = _Returns()
    maker.body.visit(returns)
    return not returns.yields and (returns.nothing or not _leaves(maker.body.body))


def _leaves(body: Sequence[cst.CSTNode]) -> bool:
    """Whether no path runs past the end of these statements."""
    last = body[-1] if body else None
    if isinstance(last, cst.SimpleStatementLine):
        return isinstance(last.body[-1], cst.Return | cst.Raise)
    if isinstance(last, cst.Return | cst.Raise):  # ``def make(p): return open(p)``
        return True
    if isinstance(last, cst.With):
        return _leaves(last.body.body)
    if isinstance(last, cst.If):
        return last.orelse is not None and _leaves(last.body.body) and _or_else(last.orelse)
    if isinstance(last, cst.Try):
        return _try_leaves(last)
    return isinstance(last, cst.While) and isinstance(last.test, cst.Name) and last.test.value == "True"


def _or_else(branch: cst.If | cst.Else) -> bool:
    return _leaves([branch]) if isinstance(branch, cst.If) else _leaves(branch.body.body)


def _try_leaves(statement: cst.Try) -> bool:
    if statement.finalbody is not None and _leaves(statement.finalbody.body.body):
        return True
    end = statement.orelse.body if statement.orelse is not None else statement.body
    return _leaves(end.body) and all(_leaves(handler.body.body) for handler in statement.handlers)
