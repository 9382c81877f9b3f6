"""A class has a method that closes it, and that method misses a resource the class keeps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.modules import Class
from tenure.check.ownership import unclosed_attributes
from tenure.check.reading import self_name
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]

#: A ``with`` statement may as well be about these.
_TRANSACTIONS: Final = frozenset({"commit", "rollback", "flush", "sync", "save", "unlock", "release", "reset"})


def judge(scene: Scene) -> Iterator[Draft]:
    """The class closes itself, one attribute excepted."""
    for held in unclosed_attributes(scene):
        if held.ending:
            message = f"{held.named} is not closed by `{held.cls.name}.{held.ending}`"
            yield held.draft(message)
    for cls in scene.module.classes.values():
        for leaving in sorted({"__exit__", "__aexit__"} & set(cls.methods)):
            for ending, attribute in _left_open(scene, cls, leaving):
                message = (
                    f"`{leaving}` does part of what `{cls.name}.{ending}` does, and leaves `self.{attribute}` open"
                )
                yield Draft(cls.methods[leaving].node, message, "likely")


def _left_open(scene: Scene, cls: Class, leaving: str) -> list[tuple[str, str]]:
    """What closing closes and leaving a ``with`` statement does not: the method that closes, the first attribute."""
    classes = scene.summaries.classes
    ending = next((name for name in ("close", "aclose") if name in cls.methods), "")
    left, closing = classes.reached(cls, leaving), classes.reached(cls, ending)
    seen = left <= set(cls.methods) and classes.sealed(cls) and not classes.facts(cls).dynamic
    if not ending or ending in left or not seen or not _enters_as_it_is(scene, cls):
        return []
    held = classes.stored_in(cls)
    closed, let_go = ({a for a in held if classes.method_closes(cls, name, a)} for name in (ending, leaving))
    if not closed & let_go and not (left & closing) - _TRANSACTIONS:
        return []
    building = classes.reached(cls, "__init__")
    built = [a for a in held if any(m.name in building and not site.kind.dormant for m, site in held[a])]
    return [(ending, attribute) for attribute in built if attribute in closed - let_go][:1]


def _enters_as_it_is(scene: Scene, cls: Class) -> bool:
    """``with`` only gives the object a name: it was opened when it was made."""
    entering = scene.project.method(cls, "__enter__") or scene.project.method(cls, "__aenter__")
    body = entering.node.body if entering is not None else []
    last = body[-1] if body else None
    alone = all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) for s in body[:-1])
    own = self_name(entering) if entering is not None else ""
    return alone and isinstance(last, ast.Return) and isinstance(last.value, ast.Name) and last.value.id == own


RULE: Final = Rule(
    "close-misses-attribute",
    "TEN202",
    "A class has a method that closes it, and that method misses a resource the class keeps.",
    scene=judge,
)
