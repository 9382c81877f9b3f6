"""A ``__del__`` reads an attribute that is missing when ``__init__`` has failed half-way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, TypeGuard

from tenure.check.modules import Class, Function, dotted_text
from tenure.check.reading import nodes_of, own_method, resolved, self_name
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]

_DEEPEST: Final = 2


def judge(scene: Scene) -> Iterator[Draft]:
    """``__init__`` may raise before it sets what ``__del__`` relies on."""
    for cls in scene.module.classes.values():
        finalizer, init = cls.methods.get("__del__"), cls.methods.get("__init__")
        if finalizer is None or init is None:
            continue
        late = _set_late(scene, init) - _set_in_body(cls)
        if late:
            yield from _read(cls, finalizer, late, 0)


def _read(cls: Class, method: Function, late: set[str], depth: int) -> Iterator[Draft]:
    """The first unguarded use of a late attribute, here or in a method that is called here."""
    name = self_name(method)
    if _asks_first(method, name, late):
        return
    guarded = _guarded(method, name)
    protected = _inside_try(method)
    for node in nodes_of(method):
        if id(node) in protected:
            continue
        if _attribute_of(node, name, ast.Load) in late - guarded:
            yield Draft(node, _message(_attribute_of(node, name, ast.Load)))
            return
        called = own_method(cls, node, name) if depth < _DEEPEST else None
        inner = next(_read(cls, called, late - guarded, depth + 1), None) if called is not None else None
        if inner is not None:
            yield Draft(node, inner.message)
            return


def _asks_first(method: Function, name: str, late: set[str]) -> bool:
    """Whether it begins by asking the object, by what is always there, whether it was built at all."""
    for statement in method.node.body:
        asked = {_attribute_of(n, name, ast.Load) for n in ast.walk(statement)} - {""}
        if isinstance(statement, ast.If):
            asked = {_attribute_of(n, name, ast.Load) for n in ast.walk(statement.test)} - {""}
            return bool(asked) and not asked & late
        looked_up = {n.func.id for n in ast.walk(statement) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        if looked_up & {"getattr", "hasattr"}:
            return True
        if asked:
            return False
    return False


def _inside_try(method: Function) -> set[int]:
    """What an exception handler of the method, or a ``suppress``, stands around."""
    tries = (node for node in nodes_of(method) if (isinstance(node, ast.Try) and node.handlers) or _suppresses(node))
    return {id(inner) for node in tries for statement in node.body for inner in ast.walk(statement)}


def _suppresses(node: ast.AST) -> TypeGuard[ast.With]:
    if not isinstance(node, ast.With):
        return False
    called = (item.context_expr.func for item in node.items if isinstance(item.context_expr, ast.Call))
    return any(dotted_text(func).rpartition(".")[2] == "suppress" for func in called)


def _message(attribute: str) -> str:
    return f"`{attribute}` is not there yet when `__init__` raises early, and `__del__` runs all the same"


def _guarded(method: Function, name: str) -> set[str]:
    """Attributes looked up with ``getattr``/``hasattr``; all of them inside a ``try``."""
    found: set[str] = set()
    for node in nodes_of(method):
        if isinstance(node, ast.Try):
            found |= {n.attr for s in node.body for n in ast.walk(s) if isinstance(n, ast.Attribute)}
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr"):
            found |= {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
        elif isinstance(node, ast.With):
            found |= {n.attr for s in node.body for n in ast.walk(s) if isinstance(n, ast.Attribute)}
    return found


def _set_late(scene: Scene, init: Function) -> set[str]:
    """Attributes first set after, or by, something that may raise."""
    name = self_name(init)
    early: set[str] = set()
    late: set[str] = set()
    raised = False
    for statement in init.node.body:
        raised = raised or _may_raise(scene, init, statement)
        for node in ast.walk(statement):
            attribute = _attribute_of(node, name, ast.Store)
            if attribute:
                (late if raised else early).add(attribute)
        raised = raised or _opens(scene, init, statement)  # that it cannot be opened at all is taken as said
    return late - early


def _attribute_of(node: ast.AST, name: str, context: type[ast.expr_context]) -> str:
    """``x`` for ``self.x`` read or written."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, context):
        return ""
    return node.attr if isinstance(node.value, ast.Name) and node.value.id == name else ""


def _may_raise(scene: Scene, init: Function, statement: ast.stmt) -> bool:
    """A ``raise`` of its own, or a call that fails as a matter of course."""
    return any(
        isinstance(node, ast.Raise) or (isinstance(node, ast.Call) and _call_may_raise(scene, init, node))
        for node in ast.walk(statement)
    )


def _call_may_raise(scene: Scene, init: Function, node: ast.Call) -> bool:
    """It builds a base that nobody sees, or is a project function with a ``raise``."""
    dotted = resolved(init.module, node.func)
    called = scene.project.find(init.module.root, dotted) if dotted else _inherited(scene, init, node)
    if isinstance(called, Function):
        return called.raises
    return called is None and _builds_unseen_base(scene, init, node)


def _opens(scene: Scene, init: Function, statement: ast.stmt) -> bool:
    """It opens what may not be there."""
    calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call))
    openers = (scene.summaries.tables.openers.get(resolved(init.module, node.func)) for node in calls)
    return any(opener is not None and opener.risky and not opener.wraps for opener in openers)


def _builds_unseen_base(scene: Scene, init: Function, node: ast.Call) -> bool:
    func = node.func
    if init.owner is None or not isinstance(func, ast.Attribute) or func.attr != "__init__":
        return False
    by_super = isinstance(func.value, ast.Call) and dotted_text(func.value.func) == "super"
    return by_super and bool(node.args or node.keywords) and None in scene.project.lineage(init.owner)


def _inherited(scene: Scene, init: Function, node: ast.Call) -> Function | None:
    """The method that ``self.method()`` or ``super().method()`` reaches."""
    func = node.func
    if init.owner is None or not isinstance(func, ast.Attribute):
        return None
    if isinstance(func.value, ast.Name) and func.value.id == self_name(init):
        return scene.project.method(init.owner, func.attr)
    if isinstance(func.value, ast.Call) and dotted_text(func.value.func) == "super":
        bases = (base for base in scene.project.lineage(init.owner) if base is not None and base is not init.owner)
        return next((base.methods[func.attr] for base in bases if func.attr in base.methods), None)
    return None


def _set_in_body(cls: Class) -> set[str]:
    """Defaults of the class, slots left out."""
    names: set[str] = set(cls.methods)
    for node in cls.node.body:
        if isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            names.add(node.target.id)
    return names


RULE: Final = Rule(
    "del-half-built",
    "TEN408",
    "A `__del__` reads an attribute that is missing when `__init__` has failed half-way.",
    scene=judge,
)
