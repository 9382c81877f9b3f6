"""A ``__del__`` reads an attribute that is missing when ``__init__`` has failed half-way."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, TypeGuard

from tenure.check.building import Building
from tenure.check.modules import Class, Function, dotted_text
from tenure.check.reading import nodes_of, self_name
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]

_DEEPEST: Final = 3


def judge(scene: Scene) -> Iterator[Draft]:
    """``__init__`` may raise before it sets what ``__del__`` relies on."""
    told: set[int] = set()
    for cls in scene.module.classes.values():
        finalizer = scene.project.method(cls, "__del__")
        if finalizer is None or not ({"__del__", "__init__"} & cls.methods.keys()):
            continue
        building = Building(scene, cls)
        late = building.missing() - _always_there(scene, cls)
        for draft in _Reading(scene, cls, building.set).read(finalizer, late) if late else ():
            if id(draft.node) not in told:
                told.add(id(draft.node))
                yield draft


class _Reading:
    """What an object's ``__del__`` reads of it."""

    def __init__(self, scene: Scene, cls: Class, built: set[str]) -> None:
        self.scene = scene
        self.cls = cls
        self.built = built  #: what ``__init__`` sets

    def read(self, method: Function, late: set[str], depth: int = 0) -> Iterator[Draft]:
        """The first unguarded use of a late attribute, here or in a method that is called here."""
        name = self_name(method)
        if self.asks_first(method, name, late):
            return
        here = method.module is self.scene.module
        guarded = _guarded(method, name)
        protected = _inside_try(method)
        for node in nodes_of(method):
            if id(node) in protected:
                continue
            if here and _attribute_of(node, name, ast.Load) in late - guarded:
                yield Draft(node, _message(_attribute_of(node, name, ast.Load)))
                return
            called = self.called(node, name) if depth < _DEEPEST else None
            inner = next(self.read(called, late - guarded, depth + 1), None) if called is not None else None
            if inner is not None:
                yield Draft(node, inner.message) if here else inner
                return

    def called(self, node: ast.AST, name: str) -> Function | None:
        """The method that ``self.method(...)`` reaches in an object of this class, or the property ``self.name``."""
        if isinstance(node, ast.Call) and (attribute := _attribute_of(node.func, name, ast.Load)):
            return self.scene.project.method(self.cls, attribute)
        shown = _attribute_of(node, name, ast.Load)
        found = self.scene.project.method(self.cls, shown) if shown else None
        return found if found is not None and "builtins.property" in found.decorators() else None

    def asks_first(self, method: Function, name: str, late: set[str]) -> bool:
        """Whether it begins by asking the object, by what is always there, whether it was built at all."""
        for statement in method.node.body:
            if isinstance(statement, ast.If):
                asked = {_attribute_of(n, name, ast.Load) for n in ast.walk(statement.test)} - {""}
                return bool(asked & self.built and not asked & late) or _looks_up(statement.test)
            if _looks_up(statement):
                return True
            if {_attribute_of(n, name, ast.Load) for n in ast.walk(statement)} - {""}:
                return False
        return False


def _looks_up(node: ast.AST) -> bool:
    """Whether it asks with ``getattr`` or ``hasattr``."""
    names = (n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name))
    return not {"getattr", "hasattr"}.isdisjoint(names)


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


def _attribute_of(node: ast.AST, name: str, context: type[ast.expr_context]) -> str:
    """``x`` for ``self.x`` read or written."""
    if not isinstance(node, ast.Attribute) or not isinstance(node.ctx, context):
        return ""
    return node.attr if isinstance(node.value, ast.Name) and node.value.id == name else ""


def _always_there(scene: Scene, cls: Class) -> set[str]:
    """Methods, and defaults of the classes, slots left out."""
    names: set[str] = set()
    for current in scene.project.lineage(cls):
        if current is not None:
            names |= _set_in_body(current)
    return names


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
