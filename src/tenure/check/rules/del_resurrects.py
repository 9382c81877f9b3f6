"""A ``__del__`` stores its object somewhere, which brings it back to life without what it has released."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from tenure.check.modules import Function, dotted_text
from tenure.check.reading import nodes_of, passed_itself, self_name
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene
from tenure.check.words import words

__all__ = ["RULE", "judge"]

#: Methods that keep what they are given; a log record is kept by handlers that buffer.
_KEEPERS: Final = words(
    "append add insert extend setdefault update put put_nowait push appendleft register submit send"
    " debug info warning error exception critical log"
)

#: What takes objects back for another life.
_POOL: Final = re.compile(r"pool|cache|free_?list|recycle", re.I)
_LETS_GO: Final = words("remove discard pop unregister forget detach drop evict delete")


def judge(scene: Scene) -> Iterator[Draft]:
    """``__del__`` puts ``self`` into something that outlives the call."""
    for cls in scene.module.classes.values():
        method = cls.methods.get("__del__")
        if method is None:
            continue
        name = self_name(method)
        for node in nodes_of(method):
            if isinstance(node, ast.Call) and _keeps(node, name):
                yield Draft(node, f"`{ast.unparse(node.func)}` may keep `{name}`, which is being destroyed")
            elif isinstance(node, ast.Assign) and (_stores(node, name) or _sets_global(method, node, name)):
                yield Draft(node, f"`{name}` is stored while it is being destroyed, which brings it back to life")


def _keeps(node: ast.Call, name: str) -> bool:
    if not isinstance(node.func, ast.Attribute) or not passed_itself(node, name):
        return False
    base = node.func.value
    pooled = _POOL.search(dotted_text(base)) and node.func.attr not in _LETS_GO
    return (node.func.attr in _KEEPERS or bool(pooled)) and not (isinstance(base, ast.Call) or _is_warning(node))


def _is_warning(node: ast.Call) -> bool:
    """``warnings.warn(..., source=self)`` is how a leak is reported."""
    return ast.unparse(node.func) == "warnings.warn"


def _sets_global(method: Function, node: ast.Assign, name: str) -> bool:
    """``global last; last = self``."""
    declared = {n for inner in nodes_of(method) if isinstance(inner, ast.Global) for n in inner.names}
    is_self = isinstance(node.value, ast.Name) and node.value.id == name
    return is_self and any(isinstance(target, ast.Name) and target.id in declared for target in node.targets)


def _stores(node: ast.Assign, name: str) -> bool:
    """``registry[k] = self``, ``module.last = self``; ``self.me = self`` dies with it."""
    if not (isinstance(node.value, ast.Name) and node.value.id == name):
        return False
    for target in node.targets:
        base = target
        while isinstance(base, ast.Attribute | ast.Subscript):
            base = base.value
        if base is not target and not (isinstance(base, ast.Name) and base.id == name):
            return True
    return False


RULE: Final = Rule(
    "del-resurrects",
    "TEN404",
    "A `__del__` stores its object somewhere, which brings it back to life without what it has released.",
    scene=judge,
)
