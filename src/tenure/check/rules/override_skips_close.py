"""A subclass overrides the method that closes its base, and does not call it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.classes import ENDINGS
from tenure.check.project import Class
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
            closes_here = name in methods and attribute in scene.summaries.classes.stored_in(base)
            if closes_here and not scene.summaries.classes.closes(cls, attribute):
                return base, attribute
    return None


def _is_empty(body: list[ast.stmt]) -> bool:
    """``def close(self): pass``: that nothing is to be closed here was said on purpose."""
    return all(isinstance(s, ast.Pass) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant)) for s in body)


RULE: Final = Rule(
    "override-skips-close",
    "TEN203",
    "A subclass overrides the method that closes its base, and does not call it.",
    scene=judge,
)
