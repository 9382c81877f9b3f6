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
    """``self.other.method()`` in ``__del__``, where ``other`` is of a class with ``__del__``."""
    for cls in scene.module.classes.values():
        method = cls.methods.get("__del__")
        if method is None:
            continue
        name = self_name(method)
        finalizable = _finalizable(scene, cls)
        for node in nodes_of(method):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                text = dotted_text(node.func.value)
                other = finalizable.get(text.removeprefix(f"{name}.")) if text.startswith(f"{name}.") else None
                if other is not None:
                    yield Draft(node, f"`{text}` ({other.qualname}) has a `__del__` of its own that may run first")


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
