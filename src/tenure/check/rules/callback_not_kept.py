"""A C library is given a callback that nothing in Python keeps alive."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from tenure.check.foreign import is_foreign, makes_callback
from tenure.check.modules import Function, dotted_text
from tenure.check.reading import nodes_of, reads_of, resolved, statements_of
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]

#: A function of such a name stores the callback for later.
_STORES: Final = re.compile(
    r"(?:^|_)(set|register|install|add|on|hook|subscribe|connect)(?:_|$)|callback|handler", re.I
)


def judge(scene: Scene) -> Iterator[Draft]:
    """``lib.set_handler(CALLBACK(f))``, ``options.done = cast(CALLBACK(f), c_void_p).value``."""
    if not is_foreign(scene.module):
        return
    for function in scene.module.functions.values():
        for node in nodes_of(function):
            if isinstance(node, ast.Assign) and _is_bare_address(scene, node):
                stored = ast.unparse(node.targets[0])
                yield Draft(node, f"`{stored}` is the bare address of a callback that is freed at once")
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _STORES.search(node.func.attr):
                for argument in node.args:
                    if makes_callback(scene, scene.module, argument) or _dies_here(scene, function, argument):
                        message = (
                            f"`{ast.unparse(node.func)}` remembers a callback that is freed when this call returns"
                        )
                        yield Draft(node, message, "likely")


def _is_bare_address(scene: Scene, node: ast.Assign) -> bool:
    """``options.done = cast(CALLBACK(f), c_void_p).value``: the number keeps nothing alive."""
    value = node.value
    if not isinstance(value, ast.Attribute) or value.attr != "value" or not isinstance(value.value, ast.Call):
        return False
    call, stored = value.value, isinstance(node.targets[0], ast.Attribute | ast.Subscript)
    casts = resolved(scene.module, call.func) == "ctypes.cast" and bool(call.args)
    return stored and casts and makes_callback(scene, scene.module, call.args[0])


def _dies_here(scene: Scene, function: Function, node: ast.expr) -> bool:
    """A local name for a callback that is used in this one call only: it goes when the function returns."""
    if not isinstance(node, ast.Name):
        return False
    made = any(
        isinstance(s, ast.Assign)
        and makes_callback(scene, scene.module, s.value)
        and dotted_text(s.targets[0]) == node.id
        for s in statements_of(function)
    )
    return made and reads_of(function, node.id) == 1


RULE: Final = Rule(
    "callback-not-kept",
    "TEN503",
    "A C library is given a callback that nothing in Python keeps alive.",
    scene=judge,
)
