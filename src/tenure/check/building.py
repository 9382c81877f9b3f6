"""An object while its ``__init__`` runs: which attributes are set whatever happens, which may be missing at the end."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from tenure.check.modules import Class, Function, dotted_text
from tenure.check.openers import is_stdlib
from tenure.check.reading import nodes_of, resolved, self_name
from tenure.check.risk import risk_of_name
from tenure.check.scene import Scene

__all__ = ["Building"]

#: Methods of the object are followed one into the other, so many deep.
_DEEPEST: Final = 3
#: These need a place on the disk, and there may be none.
_FAILING: Final = frozenset({"tempfile.mkdtemp", "tempfile.mkstemp", "os.mkdir", "os.makedirs"})

#: The methods that were called one from the other to come here.
_Through = tuple[Function, ...]


@dataclass(slots=True)
class _Way:
    """How far ``__init__`` has come on one way through it."""

    there: set[str] = field(default_factory=set)  #: the attributes that are set
    ended: bool = False  #: the rest is not reached

    def copy(self) -> _Way:
        return _Way(set(self.there), self.ended)

    def join(self, ways: Sequence[_Way]) -> None:
        """Go on from where several ways meet; what one of them sets is taken as set."""
        reached = [way for way in ways if not way.ended]
        self.there = self.there.union(*(way.there for way in reached or ways))
        self.ended = not reached


class Building:
    """Follows the constructor of a class, through the methods of the object that it calls."""

    def __init__(self, scene: Scene, cls: Class) -> None:
        self.scene = scene
        self.cls = cls
        self.set: set[str] = set()  #: every attribute that is set at all
        self.failures: list[frozenset[str]] = []  #: what is there, at each place where an exception may end it

    def missing(self) -> set[str]:
        """Attributes that an exception may leave unset."""
        init = self.scene.project.method(self.cls, "__init__")
        if init is None or isinstance(init.node, ast.Module):
            return set()
        self.run(init, init.node.body, _Way(set(self.set_by_new())), (init,))
        return {name for name in self.set if any(name not in there for there in self.failures)}

    def set_by_new(self) -> Iterator[str]:
        """What ``__new__`` gives every object before ``__init__`` has begun."""
        new = self.scene.project.method(self.cls, "__new__")
        nodes = nodes_of(new) if new is not None else iter(())
        return (n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store))

    def run(self, method: Function, body: Sequence[ast.stmt], way: _Way, through: _Through) -> None:
        for statement in body:
            if way.ended:
                return
            if isinstance(statement, ast.If):
                self.run_if(method, statement, way, through)
            elif isinstance(statement, ast.Try):
                self.run_try(method, statement, way, through)
            elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self.run_plain(method, statement, way, through)

    def run_if(self, method: Function, statement: ast.If, way: _Way, through: _Through) -> None:
        self.evaluate(method, statement.test, way, through)
        ways = (way.copy(), way.copy())
        self.run(method, statement.body, ways[0], through)
        self.run(method, statement.orelse, ways[1], through)
        way.join(ways)

    def run_try(self, method: Function, statement: ast.Try, way: _Way, through: _Through) -> None:
        """An exception that may be handled goes no further than to its handlers."""
        ways = [way.copy() for _ in statement.handlers]
        outside = self.failures
        self.failures = [] if ways else outside
        self.run(method, [*statement.body, *statement.orelse], way, through)
        self.failures = outside
        for handler, handled in zip(statement.handlers, ways, strict=True):
            self.run(method, handler.body, handled, through)
        way.join([way.copy(), *ways])
        self.run(method, statement.finalbody, way, through)

    def run_plain(self, method: Function, statement: ast.stmt, way: _Way, through: _Through) -> None:
        blocks = [b for n in ("body", "orelse") if isinstance(b := getattr(statement, n, None), list)]
        inside = {id(inner) for block in blocks for inner in block}
        parts = [part for part in ast.iter_child_nodes(statement) if id(part) not in inside]
        for part in parts:
            self.evaluate(method, part, way, through)
        calls = (node for part in parts for node in ast.walk(part) if isinstance(node, ast.Call))
        if any(self.opens(method, call) for call in calls):
            self.fails(way)
        for node in (node for part in parts for node in ast.walk(part)):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_own(node, method):
                self.set.add(node.attr)
                way.there.add(node.attr)
        for block in blocks:
            once = way.copy()
            self.run(method, block, once, through)
            way.there |= once.there
        if isinstance(statement, ast.Raise):
            self.fails(way)
        way.ended = isinstance(statement, ast.Raise | ast.Return)

    def fails(self, way: _Way) -> None:
        self.failures.append(frozenset(way.there))

    # -- what may raise --------------------------------------------------------------------------------------------

    def evaluate(self, method: Function, node: ast.AST, way: _Way, through: _Through) -> None:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call):
                self.call(method, inner, way, through)

    def call(self, method: Function, node: ast.Call, way: _Way, through: _Through) -> None:
        called = self.own(method, node)
        if called is not None and called not in through and len(through) <= _DEEPEST:
            inside = way.copy()
            self.run(called, called.node.body, inside, (*through, called))
            way.there |= inside.there
        elif called.raises if called is not None else self.may_fail(method, node):
            self.fails(way)

    def own(self, method: Function, node: ast.Call) -> Function | None:
        """The method that ``self.method()``, ``super().method()`` or ``Base.method(self)`` reaches."""
        func = node.func
        if not isinstance(func, ast.Attribute) or method.owner is None:
            return None
        if isinstance(func.value, ast.Name) and func.value.id == self_name(method):
            return self.scene.project.method(self.cls, func.attr)
        if isinstance(func.value, ast.Call) and dotted_text(func.value.func) == "super":
            bases = (b for b in self.scene.project.lineage(method.owner) if b is not None and b is not method.owner)
            return next((base.methods[func.attr] for base in bases if func.attr in base.methods), None)
        if node.args and dotted_text(node.args[0]) == self_name(method):
            dotted = resolved(method.module, func)
            found = self.scene.project.find(method.module.root, dotted) if dotted else None
            return found if isinstance(found, Function) else None
        return None

    def may_fail(self, method: Function, node: ast.Call) -> bool:
        """It refuses what it is given, or is given what nobody has looked at."""
        dotted = resolved(method.module, node.func)
        if _passes_all_on(method, node):
            return True
        if not dotted:
            return self.builds_unseen_base(method, node)
        if is_stdlib(dotted):
            return dotted not in self.scene.summaries.tables.openers and risk_of_name(dotted)[0] > 1
        called = self.found(method, dotted)
        return called is not None and called.raises

    def found(self, method: Function, dotted: str) -> Function | None:
        """The function of the project that a call by this name runs."""
        called = self.scene.project.find(method.module.root, dotted)
        return self.scene.project.method(called, "__init__") if isinstance(called, Class) else called

    def opens(self, method: Function, node: ast.Call, depth: int = 0) -> bool:
        """It opens, or a function of the project that it calls does, what may not be there."""
        dotted = resolved(method.module, node.func)
        opener = self.scene.summaries.tables.openers.get(dotted)
        if opener is not None or dotted in _FAILING:
            return dotted in _FAILING or (opener is not None and opener.risky and not opener.wraps)
        called = self.found(method, dotted) if dotted and not depth and not is_stdlib(dotted) else None
        calls = (n for n in nodes_of(called) if isinstance(n, ast.Call)) if called is not None else iter(())
        return called is not None and any(self.opens(called, call, depth + 1) for call in calls)

    def builds_unseen_base(self, method: Function, node: ast.Call) -> bool:
        func = node.func
        if method.owner is None or not isinstance(func, ast.Attribute) or func.attr != "__init__":
            return False
        by_super = isinstance(func.value, ast.Call) and dotted_text(func.value.func) == "super"
        return by_super and bool(node.args or node.keywords) and None in self.scene.project.lineage(method.owner)


def _is_own(node: ast.Attribute, method: Function) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id == self_name(method)


def _passes_all_on(method: Function, node: ast.Call) -> bool:
    """``Class(**kwargs)`` with whatever the constructor itself was given."""
    if isinstance(method.node, ast.Module) or method.node.args.kwarg is None:
        return False
    given = method.node.args.kwarg.arg
    return any(keyword.arg is None and dotted_text(keyword.value) == given for keyword in node.keywords)
