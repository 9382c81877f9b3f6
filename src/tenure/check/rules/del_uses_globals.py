"""A ``__del__`` uses a variable of its module, which may be gone when the interpreter exits."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.openers import is_stdlib
from tenure.check.reading import nodes_of, resolved
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """A module-level variable (not an import, a function or a class) is called upon in ``__del__``."""
    for cls in scene.module.classes.values():
        method = cls.methods.get("__del__")
        if method is None or any(isinstance(node, ast.Try | ast.If) for node in nodes_of(method)):
            continue
        for node in nodes_of(method):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                base = node.func.value
                if isinstance(base, ast.Name) and _is_machinery(scene, base.id):
                    message = f"`{base.id}` is a variable of the module and may be None when `__del__` runs at exit"
                    yield Draft(node, message, "likely")


def _is_machinery(scene: Scene, name: str) -> bool:
    """A library or something like it; losing a logger, a lock or a list at exit costs a message at most."""
    value = scene.module.values.get(name)
    if isinstance(value, ast.Constant):
        return value.value is None
    made = resolved(scene.module, value.func) if isinstance(value, ast.Call) else "builtins"
    return not is_stdlib(made) or made.startswith("ctypes.")


RULE: Final = Rule(
    "del-uses-globals",
    "TEN407",
    "A `__del__` uses a variable of its module, which may be gone when the interpreter exits.",
    scene=judge,
)
