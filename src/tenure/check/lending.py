"""What a class shows of itself through its methods: properties, and private methods that return an attribute."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tenure.check.modules import Function, dotted_text
from tenure.check.openers import CLOSER_NAMES
from tenure.check.reading import nodes_of, self_name, stays_local

__all__ = ["lent", "shown"]


def shown(method: Function) -> str:
    """The attribute that a property is another name of."""
    if isinstance(method.node, ast.Module) or "builtins.property" not in method.decorators():
        return ""
    last = method.node.body[-1]
    return _own_attribute(method, last.value) if isinstance(last, ast.Return) and last.value is not None else ""


def lent(method: Function, methods: Iterable[Function]) -> set[int]:
    """The ``self.x`` that a private method returns, when the class only uses what it gets by it and closes nothing."""
    if not method.name.startswith("_") or method.name.startswith("__") or method.decorators():
        return set()
    returns = [node.value for node in nodes_of(method) if isinstance(node, ast.Return) and node.value is not None]
    attributes = {_own_attribute(method, value) for value in returns}
    if len(attributes) != 1 or attributes == {""}:
        return set()
    uses = [_only_uses(caller, method.name, *attributes) for caller in methods]
    return {id(value) for value in returns} if all(uses) else set()


def _own_attribute(method: Function, node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == self_name(method):
        return node.attr
    return ""


def _only_uses(caller: Function, name: str, attribute: str) -> bool:
    """Whether each ``self.name()`` in a method is called upon, or goes back where it came from, or to a local name."""
    wanted = f"{self_name(caller)}.{name}"
    harmless = {id(node) for node in _harmless(caller, wanted, attribute)}
    named = (node for node in nodes_of(caller) if isinstance(node, ast.Attribute) and dotted_text(node) == wanted)
    return all(id(node) in harmless for node in named)


def _harmless(caller: Function, wanted: str, attribute: str) -> Iterator[ast.expr]:
    for node in nodes_of(caller):
        if (isinstance(node, ast.Attribute) and node.attr not in CLOSER_NAMES) or isinstance(node, ast.Expr):
            yield from _called(node.value, wanted)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            target = node.targets[0]
            if _own_attribute(caller, target) == attribute or _stays(caller, target):
                yield from _called(node.value, wanted)


def _called(node: ast.expr, wanted: str) -> Iterator[ast.expr]:
    """``self.name`` in ``self.name()`` and ``await self.name()``."""
    call = node.value if isinstance(node, ast.Await) else node
    if isinstance(call, ast.Call) and dotted_text(call.func) == wanted:
        yield call.func


def _stays(caller: Function, target: ast.expr) -> bool:
    """A local name that is only called upon, and not to close it."""
    if not isinstance(target, ast.Name) or not stays_local(caller, target.id):
        return False
    used = (node for node in nodes_of(caller) if isinstance(node, ast.Attribute))
    return not any(dotted_text(node.value) == target.id and node.attr in CLOSER_NAMES for node in used)
