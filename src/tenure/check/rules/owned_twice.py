"""Memory that frees itself is given a second destructor."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.foreign import allocates_owned, foreign_name, is_foreign
from tenure.check.modules import Function, dotted_text
from tenure.check.reading import nodes_of
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """``ffi.gc(ffi.new(...), ffi.release)``: what ``ffi.new`` gives is freed by its own."""
    if not is_foreign(scene.module):
        return
    for function in scene.module.functions.values():
        if not function.calls_any({"gc"}):
            continue
        for node in nodes_of(function):
            if (
                isinstance(node, ast.Call)
                and foreign_name(scene.module, node.func) == "cffi.FFI.gc"
                and len(node.args) > 1
            ):
                frees = foreign_name(scene.module, node.args[1]) == "cffi.FFI.release"
                if frees and allocates_owned(scene.module, node.args[0]):
                    yield Draft(
                        node, f"`{ast.unparse(node.args[0])}` frees its memory by itself; this frees it once more"
                    )
        yield from _freed_by_hand(scene, function)


def _freed_by_hand(scene: Scene, function: Function) -> Iterator[Draft]:
    """``p = ffi.gc(..., lib.free); lib.free(p)``: the destructor runs once more when ``p`` dies."""
    destructors: dict[str, str] = {}
    for node in nodes_of(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and len(node.value.args) > 1:
            if foreign_name(scene.module, node.value.func) == "cffi.FFI.gc":
                destructors.update({dotted_text(t): ast.unparse(node.value.args[1]) for t in node.targets})
        elif isinstance(node, ast.Call) and foreign_name(scene.module, node.func) in (
            "cffi.FFI.gc",
            "cffi.FFI.release",
        ):
            destructors.pop(dotted_text(node.args[0]) if node.args else "", None)  # ``ffi.gc(p, None)``
        elif isinstance(node, ast.Call) and len(node.args) == 1:
            name = dotted_text(node.args[0])
            if name and destructors.get(name) == ast.unparse(node.func):
                yield Draft(node, f"`{name}` is freed here and once more by its destructor when it dies")


RULE: Final = Rule(
    "owned-twice",
    "TEN304",
    "Memory that frees itself is given a second destructor.",
    scene=judge,
)
