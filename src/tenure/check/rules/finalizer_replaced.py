"""A second finalizer takes the place of the first, which can no longer be called or detached."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.modules import Class, Function, dotted_text
from tenure.check.reading import resolved, self_name, statements_of
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]

_SETTERS: Final = frozenset({"tenure.set_finalizer", "tenure.finalizers.set_finalizer"})


def judge(scene: Scene) -> Iterator[Draft]:
    """The same name is given two finalizers of one object in one run of statements."""
    for function in scene.module.functions.values():
        if function.calls_any({"finalize"}):
            yield from _in_function(scene, function)
        if function.calls_any({"set_finalizer"}):
            yield from _set_again(scene, function)
    for cls in scene.module.classes.values():
        yield from _in_class(scene, cls)


def _in_class(scene: Scene, cls: Class) -> Iterator[Draft]:
    """A method gives the object a second finalizer under the name that ``__init__`` gave the first."""
    init = cls.methods.get("__init__")
    first = {name for name, _ in _registered(scene, init)} if init is not None else set()
    for method in cls.methods.values() if first else ():
        for name, statement in _registered(scene, method) if method is not init else ():
            if name in first and not any(_settles(s, name) for s in method.node.body):
                message = f"`{name}` already holds a finalizer of `self`: both will run, and only this one is known"
                yield Draft(statement, message, "likely")


def _registered(scene: Scene, method: Function) -> Iterator[tuple[str, ast.Assign]]:
    """``self.name = weakref.finalize(self, ...)``."""
    own = self_name(method)
    for statement in statements_of(method):
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            call, name = statement.value, dotted_text(statement.targets[0])
            finalizes = resolved(scene.module, call.func) == "weakref.finalize" and name.startswith(f"{own}.")
            if finalizes and call.args and dotted_text(call.args[0]) == own:
                yield name, statement


def _in_function(scene: Scene, function: Function) -> Iterator[Draft]:
    for block in _blocks(function):
        held: dict[str, str] = {}
        for statement in block:
            for name in [n for n in held if _settles(statement, n)]:
                del held[name]
            if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
                continue
            call = statement.value
            if resolved(scene.module, call.func) != "weakref.finalize" or not call.args:
                continue
            name, target = dotted_text(statement.targets[0]), dotted_text(call.args[0])
            if name and held.get(name) == target:
                message = f"`{name}` already holds a finalizer of `{target}`: both will run, and only this one is known"
                yield Draft(statement, message)
            held[name] = target


def _set_again(scene: Scene, function: Function) -> Iterator[Draft]:
    """``set_finalizer(obj, f)`` and then ``set_finalizer(obj, g)``: ``f`` will never run."""
    for block in _blocks(function):
        armed: set[str] = set()
        for statement in block:
            armed -= {dotted_text(t) for t in statement.targets} if isinstance(statement, ast.Assign) else set()
            call = statement.value if isinstance(statement, ast.Expr) else None
            if not isinstance(call, ast.Call) or len(call.args) < 2:
                continue
            if resolved(scene.module, call.func) not in _SETTERS:
                continue
            target, given = dotted_text(call.args[0]), call.args[1]
            removes = isinstance(given, ast.Constant) and given.value is None
            if target in armed and not removes:
                yield Draft(statement, f"`{target}` has a finalizer already: it is replaced, and will never run")
            (armed.discard if removes or not target else armed.add)(target)


def _blocks(function: Function) -> Iterator[list[ast.stmt]]:
    yield function.node.body
    for statement in statements_of(function):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(statement, name, None)
            if isinstance(block, list) and not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                yield block


def _settles(statement: ast.stmt, name: str) -> bool:
    """``name.detach()`` or ``name()``: the first finalizer is over, or somebody else has it."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
            text = dotted_text(node)
            if text == name or text.startswith(f"{name}."):
                return True
    return False


RULE: Final = Rule(
    "finalizer-replaced",
    "TEN403",
    "A second finalizer takes the place of the first, which can no longer be called or detached.",
    scene=judge,
)
