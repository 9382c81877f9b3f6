"""A finalizer is given a weak reference to its own object, which is dead by the time the finalizer runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.modules import dotted_text
from tenure.check.reading import Finalizer, finalizers_in, mentions, resolved, statements_of
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
