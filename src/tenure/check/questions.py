"""The conditions a function asks: which of them again and again, and which ones decide whether something is closed."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from tenure.check.modules import Function, children
from tenure.check.openers import CLOSER_NAMES

__all__ = ["Questions", "own_nodes", "words_in"]

#: A function that asks about more parameters than this tells its callers nothing about which answer leads where.
FEW: Final = 4


class Questions:
    """Of one function."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.texts: dict[int, str] = {}
        self.asked: Counter[str] = Counter()  #: how often, by the text of the question
        self.listed: set[str] = set()  #: names that are looked for in a list of constants

    def count(self, test: ast.expr) -> None:
        self.asked.update(self.of(test))

    def note(self, node: ast.Compare) -> None:
        """``x in ("a", "b")`` will be asked."""
        if isinstance(node.left, ast.Name) and words_in(node) is not None:
            self.listed.add(node.left.id)

    def of(self, test: ast.expr) -> Iterator[str]:
        """The single conditions that a test is made of, each also as the question whether it is None."""
        if isinstance(test, ast.BoolOp):
            for operand in test.values:
                yield from self.of(operand)
        elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            yield from self.of(test.operand)
        else:
            text = self.text(test)
            plain = text.replace(" is not ", " is ").replace("!=", "==").replace(" not in ", " in ")
            yield plain
            yield plain.removesuffix(" is None") if plain.endswith(" is None") else f"{plain} is None"

    def text(self, node: ast.expr) -> str:
        """The text of a condition that gives the same answer when it is asked again; nothing for others."""
        if id(node) not in self.texts:
            self.texts[id(node)] = ast.unparse(node) if _repeatable(node) else ""
        return self.texts[id(node)]

    @cached_property
    def about_parameters(self) -> frozenset[str]:
        """Those whose answer a caller may know."""
        names = [name for name in self.function.parameters if name in self.asked or f"{name} is None" in self.asked]
        if len(names) > FEW:
            return frozenset()
        return frozenset(text for name in names for text in (name, f"{name} is None"))

    @cached_property
    def guards(self) -> frozenset[str]:
        """Conditions under which something is closed: ``if own:``, ``if f is not None:``."""
        tests = [
            node.test
            for node in own_nodes(self.function.node)
            if isinstance(node, ast.If) and any(map(_closes, [*node.body, *node.orelse]))
        ]
        return frozenset(text for test in tests for text in self.of(test))


def words_in(node: ast.Compare) -> list[object] | None:
    """The constants of ``x in ("a", "b")``."""
    listed = node.comparators[0]
    if len(node.ops) != 1 or not isinstance(node.ops[0], ast.In | ast.NotIn):
        return None
    if not isinstance(listed, ast.List | ast.Tuple | ast.Set):
        return None
    values: list[object] = [member.value for member in listed.elts if isinstance(member, ast.Constant)]
    return values if len(values) == len(listed.elts) else None


def own_nodes(root: ast.AST) -> list[ast.AST]:
    """Every node of a function, those of functions inside it left out."""
    found: list[ast.AST] = []
    stack = list(getattr(root, "body", []))
    while stack:
        node = stack.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(children(node))
    return found


def _repeatable(node: ast.AST) -> bool:
    """Names, attributes, constants and comparisons of them answer alike until one of them is bound anew."""
    if isinstance(node, ast.Compare):
        return all(_repeatable(part) for part in (node.left, *node.comparators))
    if isinstance(node, ast.Call):
        plain = isinstance(node.func, ast.Name) and not node.keywords
        return plain and all(_repeatable(argument) for argument in node.args)
    if isinstance(node, ast.Attribute):
        return _repeatable(node.value)
    if isinstance(node, ast.Subscript):
        return _repeatable(node.value) and _repeatable(node.slice)
    return isinstance(node, ast.Name | ast.Constant)


def _closes(statement: ast.stmt) -> bool:
    """Whether a statement, or one in it, calls something by the name of a closer, or leaves a ``with`` around it."""
    for node in ast.walk(statement):
        if isinstance(node, ast.withitem) and isinstance(node.context_expr, ast.Name | ast.Attribute):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOSER_NAMES:
            return True
    return False
