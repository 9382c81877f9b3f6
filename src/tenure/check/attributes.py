"""What the methods of a class do with its attributes, as their text tells: opened, closed, bound, lent."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tenure.check.lending import lent, shown
from tenure.check.modules import Function, children, dotted_text
from tenure.check.openers import CLOSER_NAMES, DERIVERS, FUNCTION_CLOSERS, OWNERSHIP_TAKERS, is_stdlib

__all__ = ["ClassFacts", "always_called", "read"]

#: Calls that start a process, and their arguments that it gets a copy of.
_STARTERS: Final = frozenset({"subprocess.Popen", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"})
_STREAMS: Final = frozenset({"stdin", "stdout", "stderr"})


@dataclass
class ClassFacts:
    """One class, its own methods only."""

    closed: dict[str, set[str]] = field(default_factory=dict)  #: attribute -> methods that may close it
    calls: dict[str, set[str]] = field(default_factory=dict)  #: method -> methods of self it calls
    set_by: dict[str, set[str]] = field(default_factory=dict)  #: attribute -> methods that bind it
    openers: dict[str, set[str]] = field(
        default_factory=dict
    )  #: attribute -> what it is bound to, "" for anything else
    made_by: dict[str, set[str]] = field(default_factory=dict)  #: attribute -> methods of self that make what it is
    dynamic: bool = False  #: it reaches its attributes by computed names


def read(methods: Collection[Function], facts: ClassFacts) -> None:
    """Add what the methods of a class do to its facts."""
    for method in methods:
        _Reader(method, facts, lent(method, methods)).read()
    for method in methods:
        if (attribute := shown(method)) and (closers := facts.closed.get(method.name)):
            facts.closed.setdefault(attribute, set()).update(closers)  # ``self.session.close()``, of a property


def always_called(body: Sequence[ast.stmt]) -> Iterator[ast.Call]:
    """The calls that stand alone as statements and that nothing skips, unless an exception does."""
    for statement in body:
        if isinstance(statement, ast.Expr):
            value = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
            if isinstance(value, ast.Call):
                yield value
        elif isinstance(statement, ast.Try):
            yield from always_called([*statement.body, *statement.finalbody])
        elif isinstance(statement, ast.With | ast.AsyncWith):
            yield from always_called(statement.body)
        if any(isinstance(node, ast.Return | ast.Raise | ast.Break) for node in ast.walk(statement)):
            return


class _Reader:
    """Reads one method for what it does with ``self``'s attributes."""

    def __init__(self, method: Function, facts: ClassFacts, lent: set[int]) -> None:
        self.method = method
        self.facts = facts
        self.lent = lent  #: what it returns to those who close nothing
        names = method.parameters
        self.own = names[0] if names else ""
        self.bound: set[int] = set()  #: attributes that a plain assignment binds

    def read(self) -> None:
        if not self.own or isinstance(self.method.node, ast.Module):
            return
        calls = self.facts.calls.setdefault(self.method.name, set())
        stack: list[ast.AST] = list(self.method.node.body)
        while stack:
            node = stack.pop()
            if isinstance(node, ast.Call):
                self.read_call(node, calls, stack)
                continue
            if isinstance(node, ast.Attribute):
                self.read_attribute(node, stack)
                continue
            if isinstance(node, ast.Assign | ast.AnnAssign):
                self.read_binding(node.targets if isinstance(node, ast.Assign) else [node.target], node.value)
            if isinstance(node, ast.For | ast.AsyncFor) and self.attribute_of(node.iter):
                stack.extend([node.target, *node.body, *node.orelse])  # reading it closes nothing
                self.loop_over(node)
                continue
            if isinstance(node, ast.Subscript) and self.attribute_of(node.value):
                stack.append(node.slice)  # what is read from a resource is not the resource
                continue
            if isinstance(node, ast.Compare | ast.If | ast.While):
                self.read_test(node, stack)
                continue
            if isinstance(node, ast.ExceptHandler) and self.gives_up(node):
                continue
            stack.extend(children(node))

    def gives_up(self, node: ast.ExceptHandler) -> bool:
        """Whether it takes back there what it has begun, which closes nothing where all goes well."""
        return self.method.name not in CLOSER_NAMES and isinstance(node.body[-1], ast.Raise)

    def attribute_of(self, node: ast.AST) -> str:
        """``x`` for ``self.x``."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == self.own:
            return node.attr
        return ""

    def read_binding(self, targets: Sequence[ast.expr], value: ast.expr | None) -> None:
        """``self.x = open(...)``; ``None`` holds nothing."""
        self.bound.update(id(target) for target in targets)
        if value is None or (isinstance(value, ast.Constant) and value.value is None):
            return
        opener = self.method.module.resolve(dotted_text(value.func)) if isinstance(value, ast.Call) else ""
        maker = self.attribute_of(value.func) if isinstance(value, ast.Call) else ""
        for attribute in filter(None, map(self.attribute_of, targets)):
            if maker:
                self.facts.made_by.setdefault(attribute, set()).add(maker)
            self.facts.openers.setdefault(attribute, set()).add(opener)

    def closes(self, attribute: str) -> None:
        self.facts.closed.setdefault(attribute, set()).add(self.method.name)

    def read_call(self, node: ast.Call, calls: set[str], stack: list[ast.AST]) -> None:
        func = node.func
        if isinstance(func, ast.Attribute):
            attribute = self.attribute_of(func.value)
            if attribute and (func.attr in CLOSER_NAMES or func.attr == "pop_all"):
                self.closes(attribute)
            elif not attribute:
                stack.append(func.value)
            called = self.attribute_of(func)
            if called:
                calls.add(called)
            if isinstance(func.value, ast.Call) and dotted_text(func.value.func) == "super":
                calls.add(func.attr)
            if self.names_self(node):  # ``Base.close(self)``
                calls.add(func.attr)
        elif isinstance(func, ast.Name) and func.id in ("getattr", "vars", "setattr"):
            self.facts.dynamic = self.facts.dynamic or self.names_self(node)
        for argument in (*node.args, *(k.value for k in node.keywords)):
            attribute = self.attribute_of(argument)
            if attribute and (self.only_borrows(node) or self.only_shares(node, argument)):
                continue
            stack.append(argument)

    def names_self(self, node: ast.Call) -> bool:
        return any(isinstance(a, ast.Name) and a.id == self.own for a in node.args)

    def only_borrows(self, node: ast.Call) -> bool:
        """A function known to keep and close nothing."""
        dotted = self.method.module.resolve(dotted_text(node.func))
        if not dotted or dotted in FUNCTION_CLOSERS or dotted in OWNERSHIP_TAKERS:
            return False
        last = dotted.rpartition(".")[2]
        return dotted in DERIVERS or (is_stdlib(dotted) and last[:1].islower() and last not in ("fdopen", "open"))

    def only_shares(self, node: ast.Call, argument: ast.expr) -> bool:
        """``Popen(stdout=self.log)``: the process has its own copy."""
        shared = any(k.value is argument and k.arg in _STREAMS for k in node.keywords)
        return shared and self.method.module.resolve(dotted_text(node.func)) in _STARTERS

    def read_attribute(self, node: ast.Attribute, stack: list[ast.AST]) -> None:
        """``self.x`` by itself, not called upon: somebody else gets it and may close it."""
        attribute = self.attribute_of(node)
        if attribute and isinstance(node.ctx, ast.Load):
            if id(node) not in self.lent:
                self.closes(attribute)
        elif attribute and isinstance(node.ctx, ast.Store):
            self.facts.set_by.setdefault(attribute, set()).add(self.method.name)
            if id(node) not in self.bound:
                self.facts.openers.setdefault(attribute, set()).add("")
        elif self.attribute_of(node.value):
            inner = self.attribute_of(node.value)
            if node.attr in CLOSER_NAMES:
                self.closes(inner)  # the bound method goes somewhere: ``atexit.register(self.x.close)``
        elif not attribute:
            stack.append(node.value)

    def read_test(self, node: ast.Compare | ast.If | ast.While, stack: list[ast.AST]) -> None:
        """A comparison or a condition looks at an attribute and leaves it alone."""
        if isinstance(node, ast.Compare):
            stack.extend(part for part in (node.left, *node.comparators) if not self.attribute_of(part))
            return
        if not self.attribute_of(node.test):
            stack.append(node.test)
        stack.extend([*node.body, *node.orelse])

    def loop_over(self, node: ast.For | ast.AsyncFor) -> None:
        """``for f in self.files: f.close()`` closes what the list holds."""
        if isinstance(node.target, ast.Name):
            for child in ast.walk(node):
                if isinstance(child, ast.Name) and child.id == node.target.id and isinstance(child.ctx, ast.Load):
                    self.closes(self.attribute_of(node.iter))
                    return
