"""A ``__del__`` closes a descriptor that ``close`` has closed already: the number may be somebody else's by then."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.modules import Function, dotted_text
from tenure.check.openers import FUNCTION_CLOSERS
from tenure.check.reading import nodes_of, own_method, resolved, self_name
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]

_CLOSERS: Final = frozenset(name for name in FUNCTION_CLOSERS if not name.startswith("contextlib"))


def judge(scene: Scene) -> Iterator[Draft]:
    """``__del__`` calls a method that closes a number, and that neither checks nor forgets the number."""
    for cls in scene.module.classes.values():
        finalizer = cls.methods.get("__del__")
        if finalizer is None or _guards(finalizer):
            continue
        for node in nodes_of(finalizer):
            closer = own_method(cls, node, self_name(finalizer))
            if closer is not None and not closer.name.startswith("_"):
                attribute = _closes_blindly(scene, closer)
                if attribute:
                    message = (
                        f"`{closer.name}` closes `{attribute}` without forgetting it, and `__del__` closes it again"
                    )
                    yield Draft(node, message)


def _guards(method: Function) -> bool:
    return any(isinstance(node, ast.If) for node in nodes_of(method))


def _closes_blindly(scene: Scene, method: Function) -> str:
    """The attribute whose number is closed without a look and without being forgotten."""
    name = self_name(method)
    closed = ""
    for node in nodes_of(method):
        if isinstance(node, ast.If):
            return ""
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            return ""
        if isinstance(node, ast.Call) and node.args and resolved(scene.module, node.func) in _CLOSERS:
            text = dotted_text(node.args[0])
            closed = text if text.startswith(f"{name}.") else closed
    return closed


RULE: Final = Rule(
    "del-closes-again",
    "TEN409",
    "A `__del__` closes a descriptor that `close` has closed already: the number may be somebody else's by then.",
    scene=judge,
)
