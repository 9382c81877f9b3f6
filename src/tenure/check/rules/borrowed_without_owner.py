"""An object is told not to free what it points to, and does not keep the one who will."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.foreign import is_foreign
from tenure.check.modules import Class, Function, dotted_text
from tenure.check.reading import nodes_of, own_method, passes_on, resolved, self_name
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """``C.next(out, self._iterator); return Entry(out[0], borrowed=True)``."""
    if not is_foreign(scene.module):
        return
    for cls in scene.module.classes.values():
        freed = _freed(cls)
        for method in cls.methods.values() if freed else ():
            yield from _handed_out(scene, cls, method, freed)


def _freed(cls: Class) -> set[str]:
    """The attributes that its ``__del__`` hands to whatever frees them."""
    finalizer = cls.methods.get("__del__")
    if finalizer is None:
        return set()
    own = self_name(finalizer)
    called = [m for n in nodes_of(finalizer) if (m := own_method(cls, n, own)) is not None]
    nodes = [node for method in (finalizer, *called) for node in nodes_of(method)]
    texts = (dotted_text(node).partition(".") for node in nodes if isinstance(node, ast.Attribute))
    named = {attribute for owner, _, attribute in texts if owner == own}
    return {attribute for attribute in named if any(passes_on(method, attribute) for method in (finalizer, *called))}


def _handed_out(scene: Scene, cls: Class, method: Function, freed: set[str]) -> Iterator[Draft]:
    own = self_name(method)
    filled = {
        name
        for node in nodes_of(method)
        if isinstance(node, ast.Call) and {f"{own}.{a}" for a in freed} & {dotted_text(a) for a in node.args}
        for name in (dotted_text(a) for a in node.args)
        if name and "." not in name
    }
    for node in nodes_of(method):
        if not isinstance(node, ast.Return | ast.Yield) or not isinstance(node.value, ast.Call):
            continue
        given = [*node.value.args, *(k.value for k in node.value.keywords)]
        borrows = any(isinstance(a, ast.Subscript) and dotted_text(a.value) in filled for a in given)
        if borrows and not _keeps(given, own) and _is_told_not_to_free(scene, node.value, given):
            yield Draft(
                node,
                f"what is handed out points into what `{cls.name}` frees when it dies, and does not keep it alive",
                "likely",
            )


def _keeps(given: list[ast.expr], name: str) -> bool:
    """The object itself is among the arguments; an attribute of it is not the object."""
    return any(isinstance(a, ast.Name) and a.id == name for a in given)


def _is_told_not_to_free(scene: Scene, call: ast.Call, given: list[ast.expr]) -> bool:
    """A flag is among the arguments, and the ``__del__`` of what is made asks one before it frees."""
    if not any(isinstance(a, ast.Constant) and isinstance(a.value, bool) for a in given):
        return False
    dotted = resolved(scene.module, call.func)
    found = scene.project.find(scene.module.root, dotted) if dotted else None
    made = found.owner if isinstance(found, Function) else found
    finalizer = made.methods.get("__del__") if isinstance(made, Class) else None
    return finalizer is not None and isinstance(finalizer.node.body[-1], ast.If)


RULE: Final = Rule(
    "borrowed-without-owner",
    "TEN504",
    "An object is told not to free what it points to, and does not keep the one who will.",
    scene=judge,
)
