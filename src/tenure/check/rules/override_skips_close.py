"""A subclass overrides the method that closes its base, and does not call it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.classes import ENDINGS
from tenure.check.modules import Class, Function
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """``close`` of the base closes an attribute; ``close`` of the subclass neither does nor asks the base to."""
    for cls in scene.module.classes.values():
        for name in sorted(ENDINGS & set(cls.methods)):
            missed = _missed(scene, cls, name)
            if missed:
                base, attribute = missed
                message = f"`{name}` hides `{base.name}.{name}`, which closes `self.{attribute}`, and does not call it"
                yield Draft(cls.methods[name].node, message)


def _missed(scene: Scene, cls: Class, name: str) -> tuple[Class, str] | None:
    """The base and the attribute nobody closes any more."""
    own = scene.summaries.classes.facts(cls)
    if name in own.calls.get(name, set()) or _is_empty(cls.methods[name].node.body):
        return None
    for base in scene.project.lineage(cls):
        if base is None or base is cls or name not in base.methods:
            continue
        facts = scene.summaries.classes.facts(base)
        for attribute, methods in facts.closed.items():
            openers = scene.summaries.classes.stored_in(base).get(attribute, ())
            alive = _alive(scene, cls) if name in methods and openers else set()
            if any(opener in alive for opener, _ in openers) and not scene.summaries.classes.closes(cls, attribute):
                return base, attribute
    return None


def _alive(scene: Scene, cls: Class) -> set[Function]:
    """The methods that run when the object is used from outside: what nobody calls any more opens nothing."""
    lineage = [current for current in scene.project.lineage(cls) if current is not None]
    names = {name for current in lineage for name in current.methods}
    frontier = {name for name in names if not name.startswith("_") or name.startswith("__")}
    alive: set[Function] = set()
    queue = [(name, 0) for name in frontier]
    while queue:
        name, start = queue.pop()
        at = next((n for n in range(start, len(lineage)) if name in lineage[n].methods), -1)
        if at < 0 or lineage[at].methods[name] in alive:
            continue
        alive.add(lineage[at].methods[name])
        called = scene.summaries.classes.facts(lineage[at]).calls.get(name, set())
        queue.extend((other, at + 1 if other == name else 0) for other in called)
    return alive


def _is_empty(body: list[ast.stmt]) -> bool:
    """``def close(self): pass``: that nothing is to be closed here was said on purpose."""
    return all(isinstance(s, ast.Pass) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)) for s in body)


RULE: Final = Rule(
    "override-skips-close",
    "TEN203",
    "A subclass overrides the method that closes its base, and does not call it.",
    scene=judge,
)
