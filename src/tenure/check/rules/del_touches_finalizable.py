"""A ``__del__`` uses an object that has a finalizer of its own, which may have run already."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.modules import Class, dotted_text
from tenure.check.reading import nodes_of, resolved, self_name
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """``self.other.method()`` or ``f(self.other.x)`` in ``__del__``, where ``other`` is of a class with ``__del__``."""
    for cls in scene.module.classes.values():
        method = cls.methods.get("__del__")
        if method is None:
            continue
        name = self_name(method)
        finalizable = _finalizable(scene, cls)
        for node in nodes_of(method):
            used = _used(node, name) if isinstance(node, ast.Call) and finalizable else ()
            for attribute in sorted(finalizable.keys() & set(used)):
                other = finalizable[attribute].qualname
                yield Draft(node, f"`{name}.{attribute}` ({other}) has a `__del__` of its own that may run first")


def _used(node: ast.Call, name: str) -> Iterator[str]:
    """The attributes of ``self`` that a call calls upon, or looks into for its arguments."""
    if isinstance(node.func, ast.Attribute):
        owner, _, rest = dotted_text(node.func.value).partition(".")
        if owner == name and rest:
            yield rest.partition(".")[0]
    for argument in (*node.args, *(k.value for k in node.keywords)):
        owner, _, rest = dotted_text(argument).partition(".")
        if owner == name and "." in rest:
            yield rest.partition(".")[0]


def _finalizable(scene: Scene, cls: Class) -> dict[str, Class]:
    """Attributes that hold an object whose class has ``__del__``."""
    found: dict[str, Class] = {}
    for node in ast.walk(cls.node):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            other = scene.project.find(scene.module.root, resolved(scene.module, node.value.func))
            if isinstance(other, Class) and scene.project.method(other, "__del__") is not None:
                found.update({t.attr: other for t in node.targets if isinstance(t, ast.Attribute)})
    return found


RULE: Final = Rule(
    "del-touches-finalizable",
    "TEN406",
    "A `__del__` uses an object that has a finalizer of its own, which may have run already.",
    scene=judge,
)
