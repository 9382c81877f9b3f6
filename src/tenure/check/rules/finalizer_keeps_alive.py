"""A finalizer refers to the object it waits for, so the object never dies and the finalizer never runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.modules import Function, dotted_text
from tenure.check.reading import Finalizer, calls_in, finalizers_in, mentions, nodes_of, resolved, statements_of
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """Each ``weakref.finalize(obj, callback, ...)`` whose callback or arguments lead back to ``obj``."""
    for finalizer in (*finalizers_in(scene.module), *_through_functions(scene)):
        if not finalizer.target:
            continue
        how = _reaches(scene, finalizer, finalizer.callback)
        for argument in finalizer.arguments:
            how = how or _reaches(scene, finalizer, argument)
        if how:
            message = f"the finalizer of `{finalizer.target}` keeps it alive: {how}; so it never runs before exit"
            yield Draft(finalizer.node, message)


def _through_functions(scene: Scene) -> Iterator[Finalizer]:
    """``on_collect(self, self._release)``, where ``on_collect(owner, callback)`` hands both to ``weakref.finalize``."""
    for function in scene.module.functions.values():
        registrars = {name: found for name in function.calls if (found := _registrar(scene, name)) is not None}
        for node in nodes_of(function) if registrars else ():
            if isinstance(node, ast.Call) and dotted_text(node.func) in registrars:
                given = _handed_on(registrars[dotted_text(node.func)], node)
                if len(given) > 1:
                    yield Finalizer(node, function, given)


def _registrar(scene: Scene, name: str) -> Function | None:
    """The function of the project by that name, if it sets a finalizer up."""
    found = scene.function(scene.module, name)
    return found if found is not None and found.calls_any({"finalize"}) else None


def _handed_on(registrar: Function, node: ast.Call) -> list[ast.expr]:
    """What a call of the function gives to ``weakref.finalize``: the target, then all that it is to keep."""
    names = registrar.parameters
    bound = {name: [argument] for name, argument in zip(names, node.args, strict=False)}
    bound.update({keyword.arg: [keyword.value] for keyword in node.keywords if keyword.arg})
    if not isinstance(registrar.node, ast.Module) and registrar.node.args.vararg is not None:
        bound[registrar.node.args.vararg.arg] = node.args[len(names) :]
    for call, dotted in calls_in(registrar):
        if dotted == "weakref.finalize" and call.args and dotted_text(call.args[0]) in bound:
            target = bound[dotted_text(call.args[0])]
            kept = (given for name, given in bound.items() if any(mentions(a, name) for a in call.args[1:]))
            return [*target, *(argument for given in kept for argument in given)]
    return []


def _reaches(scene: Scene, finalizer: Finalizer, node: ast.expr) -> str:
    """How an expression holds on to the target; nothing if it does not."""
    target = finalizer.target
    text = dotted_text(node)
    if text == target:
        return f"`{text}` is passed to the callback"
    if text.startswith(f"{target}.") and _is_bound(scene, finalizer, text.removeprefix(f"{target}.")):
        return f"`{text}` is bound to it"
    if isinstance(node, ast.Lambda):
        return "the lambda uses it" if _uses(finalizer, node) else ""
    if isinstance(node, ast.Call) and resolved(scene.module, node.func) in ("functools.partial", "partial"):
        return next(filter(None, (_reaches(scene, finalizer, argument) for argument in node.args)), "")
    if isinstance(node, ast.Name):
        return _reaches_by_name(scene, finalizer, node.id)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return next(filter(None, (_reaches(scene, finalizer, member) for member in node.elts)), "")
    return ""


def _uses(finalizer: Finalizer, node: ast.AST) -> bool:
    """Whether a function written here reads the target, by its name or by another one it was given."""
    target = finalizer.target.partition(".")[0]
    copies = (s for s in statements_of(finalizer.function) if isinstance(s, ast.Assign))
    names = {t.id for s in copies if dotted_text(s.value) == target for t in s.targets if isinstance(t, ast.Name)}
    return any(mentions(node, name) for name in names | {target})


def _reaches_by_name(scene: Scene, finalizer: Finalizer, name: str) -> str:
    """A local function, or a local name for one of the above."""
    inner = finalizer.function.inner.get(name)
    if inner is not None:
        return f"`{name}` uses it" if _uses(finalizer, inner.node) else ""
    for statement in statements_of(finalizer.function):
        if isinstance(statement, ast.Assign) and any(dotted_text(t) == name for t in statement.targets):
            value = statement.value
            if not (isinstance(value, ast.Name) and value.id == name):
                return _reaches(scene, finalizer, value)
    return ""


def _is_bound(scene: Scene, finalizer: Finalizer, attribute: str) -> bool:
    """Whether ``target.attribute`` is a method bound to the target rather than a function or a value it holds."""
    owner = finalizer.function.owner
    if "." in attribute:
        return False
    if owner is None or finalizer.target != "self":
        return dotted_text(finalizer.callback).endswith(f".{attribute}")
    method = scene.project.method(owner, attribute)
    if method is not None:
        return not {"builtins.staticmethod", "builtins.classmethod", "builtins.property"} & set(method.decorators())
    return attribute not in _assigned(owner.node) and dotted_text(finalizer.callback) == f"self.{attribute}"


def _assigned(node: ast.ClassDef) -> set[str]:
    """Attributes that something is stored in, and names set in the class body."""
    names = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    return names | {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


RULE: Final = Rule(
    "finalizer-keeps-alive",
    "TEN401",
    "A finalizer refers to the object it waits for, so the object never dies and the finalizer never runs.",
    scene=judge,
)
