"""A finalizer is given a weak reference to its own object, which is dead by the time the finalizer runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.modules import Function, dotted_text
from tenure.check.reading import Finalizer, calls_in, finalizers_in, mentions, resolved, self_name, statements_of
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """``weakref.finalize(self, callback, weakref.ref(self))``, also through a local name or a lambda."""
    for finalizer in finalizers_in(scene.module):
        if not finalizer.target:
            continue
        names = _names_of_references(scene, finalizer)
        given = [*finalizer.arguments, finalizer.callback]
        if any(_is_reference(scene, finalizer, node) or _uses(finalizer, node, names) for node in given):
            message = f"a weak reference to `{finalizer.target}` is dead when its finalizer runs: it only gives None"
            yield Draft(finalizer.node, message)
    yield from _in_callbacks(scene)


def _in_callbacks(scene: Scene) -> Iterator[Draft]:
    """``weakref.ref(obj, callback)``, where the callback asks the reference it is given for the object."""
    for function in scene.module.functions.values():
        if not function.calls_any({"ref", "WeakMethod"}):
            continue
        for node, dotted in calls_in(function):
            if dotted in ("weakref.ref", "weakref.WeakMethod") and len(node.args) == 2:
                parameter, body = _callback(scene, function, node.args[1])
                for read in _reads(body, parameter):
                    yield Draft(read, f"`{parameter}()` is None in its own callback: the object is gone by then")


def _callback(scene: Scene, function: Function, node: ast.expr) -> tuple[str, list[ast.AST]]:
    """What the callback calls the reference it is given, and its body."""
    if isinstance(node, ast.Lambda):
        return (node.args.args[0].arg if node.args.args else ""), [node.body]
    text = dotted_text(node)
    own = self_name(function) or (self_name(function.outer) if function.outer is not None else "")
    owner = function.owner or (function.outer.owner if function.outer is not None else None)
    called = function.inner.get(text) or scene.module.functions.get(text)
    given = 0
    if called is None and owner is not None and text.partition(".")[0] == own:
        called, given = owner.methods.get(text.partition(".")[2]), 1
    names = called.parameters if called is not None else []
    if called is None or len(names) <= given or isinstance(called.node, ast.Module):
        return "", []
    return names[given], list(called.node.body)


def _reads(body: list[ast.AST], parameter: str) -> Iterator[ast.Call]:
    """Calls of the reference, other than to see that it is dead."""
    nodes = [node for part in body for node in ast.walk(part)]
    asked = {id(node.left) for node in nodes if isinstance(node, ast.Compare)}
    for node in nodes:
        if isinstance(node, ast.Call) and dotted_text(node.func) == parameter != "" and id(node) not in asked:
            yield node


def _is_reference(scene: Scene, finalizer: Finalizer, node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and resolved(scene.module, node.func) in ("weakref.ref", "weakref.proxy", "weakref.WeakMethod")
        and bool(node.args)
        and dotted_text(node.args[0]).partition(".")[0] == finalizer.target.partition(".")[0]
    )


def _names_of_references(scene: Scene, finalizer: Finalizer) -> set[str]:
    return {
        dotted_text(target)
        for statement in statements_of(finalizer.function)
        if isinstance(statement, ast.Assign) and _is_reference(scene, finalizer, statement.value)
        for target in statement.targets
    }


def _uses(finalizer: Finalizer, node: ast.expr, names: set[str]) -> bool:
    if isinstance(node, ast.Name):
        inner = finalizer.function.inner.get(node.id)
        return node.id in names or (inner is not None and any(mentions(inner.node, name) for name in names))
    return isinstance(node, ast.Lambda | ast.Call) and any(mentions(node, name) for name in names)


RULE: Final = Rule(
    "dead-weakref-in-finalizer",
    "TEN402",
    "A finalizer is given a weak reference to its own object, which is dead by the time the finalizer runs.",
    scene=judge,
)
