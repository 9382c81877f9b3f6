"""The address of a temporary is kept: the memory is free again before anybody uses the address."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.foreign import address_of, allocates, data_of, foreign_name, is_foreign, is_temporary, whole
from tenure.check.modules import Class, Function, dotted_text
from tenure.check.reading import nodes_of, resolved, self_name
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """An address, or a pointer attribute, is taken of something that has no name."""
    if not is_foreign(scene.module):
        return
    for function in scene.module.functions.values():
        for node in nodes_of(function):
            message = _address(scene, node) or _pointer(scene, node) or _data(node)
            if message:
                yield Draft(node, message)


def _address(scene: Scene, node: ast.AST) -> str:
    taken = address_of(scene.module, node)
    if taken is None or not allocates(scene.module, whole(taken)) or _shows_named(scene, taken):
        return ""
    return f"the address of `{ast.unparse(taken)}` outlives it: nothing keeps the memory once this expression is done"


def _shows_named(scene: Scene, node: ast.expr) -> bool:
    """``ffi.from_buffer(out)``: the memory is that of ``out``, which has a name."""
    if not isinstance(node, ast.Call) or foreign_name(scene.module, node.func) != "cffi.FFI.from_buffer":
        return False
    return not any(is_temporary(argument) for argument in node.args)


def _data(node: ast.AST) -> str:
    """``(a + b).ctypes.data``."""
    array = data_of(node)
    if array is None or not is_temporary(array):
        return ""
    return f"`{ast.unparse(node)}` is the address of an array that is gone once this expression is done"


def _pointer(scene: Scene, node: ast.AST) -> str:
    """``f(Wrapper().ptr)`` where the wrapper frees ``ptr`` when it dies."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Call):
        return ""
    made = scene.project.find(scene.module.root, resolved(scene.module, node.value.func) or "?")
    if not isinstance(made, Class):
        return ""
    method = scene.project.method(made, "__del__")
    if method is None or not any(_uses(method, name) for name in (node.attr, _behind(scene, made, node.attr))):
        return ""
    return (
        f"`{made.name}` frees `{node.attr}` as soon as it dies, which is before `{node.attr}` is used: give it a name"
    )


def _behind(scene: Scene, cls: Class, name: str) -> str:
    """The attribute that a property hands out."""
    method = scene.project.method(cls, name)
    if method is None or "builtins.property" not in method.decorators():
        return name
    last = method.node.body[-1]
    text = dotted_text(last.value) if isinstance(last, ast.Return) and last.value is not None else ""
    owner, _, attribute = text.partition(".")
    return attribute if owner == self_name(method) else name


def _uses(method: Function, attribute: str) -> bool:
    name = self_name(method)
    return any(dotted_text(node) == f"{name}.{attribute}" for node in nodes_of(method))


RULE: Final = Rule(
    "address-of-temporary",
    "TEN501",
    "The address of a temporary is kept: the memory is free again before anybody uses the address.",
    scene=judge,
)
