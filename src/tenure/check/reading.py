"""Questions about source text that several rules ask."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from tenure.check.modules import Class, Function, Module, children, dotted_text
from tenure.check.openers import CLOSER_NAMES

__all__ = [
    "Finalizer",
    "calls_in",
    "closes_to_raise",
    "finalizers_in",
    "mentions",
    "nodes_of",
    "own_method",
    "passed_itself",
    "passes_on",
    "reads_of",
    "resolved",
    "returns_itself",
    "self_name",
    "statements_of",
    "stays_local",
]


class Finalizer:
    """One ``weakref.finalize(target, callback, ...)``, or a call of a function that has the same done."""

    __slots__ = ("arguments", "callback", "function", "node", "target")

    def __init__(self, node: ast.Call, function: Function, given: Sequence[ast.expr]) -> None:
        self.node = node
        self.function = function
        self.target = dotted_text(given[0])
        self.callback = given[1]
        self.arguments = given[2:]


def nodes_of(function: Function) -> Iterator[ast.AST]:
    """Every node of a function; those of functions written inside it are left to them."""
    stack: list[ast.AST] = list(reversed(function.node.body))
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            stack.extend(reversed(children(node)))


def statements_of(function: Function) -> Iterator[ast.stmt]:
    """Its statements, outer ones first."""
    return (node for node in nodes_of(function) if isinstance(node, ast.stmt))


def calls_in(function: Function) -> Iterator[tuple[ast.Call, str]]:
    """Its calls, each with the dotted name it resolves to, if it does."""
    for node in nodes_of(function):
        if isinstance(node, ast.Call):
            yield node, resolved(function.module, node.func)


def resolved(module: Module, node: ast.expr) -> str:
    """The dotted name an expression stands for at the module's top level."""
    text = dotted_text(node)
    return module.resolve(text) if text else ""


def finalizers_in(module: Module) -> Iterator[Finalizer]:
    """Every finalizer that is registered with ``weakref.finalize``."""
    for function in module.functions.values():
        if function.calls_any({"finalize"}):
            for node, dotted in calls_in(function):
                if dotted == "weakref.finalize" and len(node.args) >= 2:
                    yield Finalizer(node, function, [*node.args, *(k.value for k in node.keywords)])


def mentions(node: ast.AST, name: str) -> bool:
    """Whether a name is read anywhere below a node."""
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load) for n in ast.walk(node))


def reads_of(function: Function, name: str) -> int:
    """How often a name is read in a function, functions inside it included."""
    nodes = (node for statement in function.node.body for node in ast.walk(statement))
    return sum(1 for n in nodes if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load))


def stays_local(function: Function, name: str) -> bool:
    """Whether an object is only looked into, measured or called upon: nothing else gets hold of it."""
    seen: set[int] = set()
    for statement in function.node.body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute | ast.Subscript):
                seen.add(id(node.value))
            elif isinstance(node, ast.Call) and _looks_only(node):
                seen.update(id(argument) for argument in node.args)
    nodes = (node for statement in function.node.body for node in ast.walk(statement))
    return all(id(n) in seen for n in nodes if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load))


def _looks_only(node: ast.Call) -> bool:
    """A call by a name that does not say it keeps or makes something."""
    last = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "?")
    return last[:1].islower() and last not in ("append", "add", "insert", "extend", "setdefault", "update", "push")


def passes_on(method: Function, attribute: str) -> bool:
    """Whether a method hands ``self.attribute`` to a call."""
    text = f"{self_name(method)}.{attribute}"
    calls = (node for node in nodes_of(method) if isinstance(node, ast.Call))
    return any(dotted_text(argument) == text for call in calls for argument in call.args)


def self_name(function: Function) -> str:
    """The first parameter of a method."""
    names = function.parameters
    return names[0] if function.owner is not None and names else ""


def returns_itself(method: Function) -> bool:
    """``Link().start()``, where ``start`` ends with ``return self``."""
    name = self_name(method)
    returned = (s.value for s in statements_of(method) if isinstance(s, ast.Return) and s.value is not None)
    return any(dotted_text(value) == name for value in returned)


def own_method(owner: Class, node: ast.AST, name: str) -> Function | None:
    """The method that ``self.method(...)`` calls, if it is written in the class itself."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        base = node.func.value
        if isinstance(base, ast.Name) and base.id == name:
            return owner.methods.get(node.func.attr)
    return None


def closes_to_raise(method: Function) -> bool:
    """Whether a method closes itself, or something of its object, only where it raises next: whoever calls it and goes
    on has nothing closed."""
    own = self_name(method)
    followed: list[bool] = []
    blocks = [method.node.body]
    for statement in statements_of(method):
        blocks += [b for n in ("body", "orelse", "finalbody") if isinstance(b := getattr(statement, n, None), list)]
        if isinstance(statement, ast.Try):
            blocks += [handler.body for handler in statement.handlers]
    for block in blocks:
        called = [s.value for s in block if isinstance(s, ast.Expr) and isinstance(s.value, ast.Call)]
        texts = [dotted_text(call.func) for call in called]
        if any(t.startswith(f"{own}.") and t.rpartition(".")[2] in CLOSER_NAMES for t in texts):
            followed.append(isinstance(block[-1], ast.Raise))
    closing = [text for text in method.calls if text.rpartition(".")[2] in CLOSER_NAMES]
    return bool(followed) and all(followed) and all(text.startswith(f"{own}.") for text in closing)


def passed_itself(node: ast.Call, name: str) -> bool:
    """Whether the object itself is among the arguments, or in a literal that is."""
    given = [*node.args, *(k.value for k in node.keywords)]
    packed = (member for argument in given for member in _members(argument))
    return any(isinstance(argument, ast.Name) and argument.id == name for argument in (*given, *packed))


def _members(node: ast.expr) -> Iterator[ast.expr]:
    """What stands in a literal, at any depth."""
    members: list[ast.expr | None] = []
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        members = [*node.elts]
    elif isinstance(node, ast.Dict):
        members = [*node.keys, *node.values]
    for member in members:
        if member is not None:
            yield member
            yield from _members(member)
