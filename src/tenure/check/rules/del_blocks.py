"""A ``__del__`` waits for a lock or a thread; it may run in the middle of the code that holds it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.modules import Class, Function, dotted_text
from tenure.check.reading import nodes_of, own_method, passed_itself, resolved, self_name
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene
from tenure.check.words import words

__all__ = ["RULE", "judge"]

_LOCKS: Final = words(
    "threading.Lock threading.Semaphore threading.BoundedSemaphore threading.Condition"
    " multiprocessing.Lock multiprocessing.Semaphore multiprocessing.Condition"
)
_WAITS: Final = words("threading.Thread threading.Event queue.Queue multiprocessing.Process subprocess.Popen")
_WAITING: Final = words("join wait get acquire communicate")
#: Whoever is told to end is not waited for long.
_ENDING: Final = words("kill terminate send_signal set")
#: Their ``put`` takes a lock; ``queue.SimpleQueue`` is made to be filled by finalizers.
_QUEUES: Final = frozenset({"queue.Queue", "queue.LifoQueue", "queue.PriorityQueue"})
_DEEPEST: Final = 2


def judge(scene: Scene) -> Iterator[Draft]:
    """``__del__``, or a method it calls, takes a lock."""
    for cls in scene.module.classes.values():
        method = cls.methods.get("__del__")
        if method is None:
            continue
        for node in nodes_of(method):
            lock = _taken(scene, cls, method, node, 0)
            if lock and not _is_told_to_end(method, lock):
                yield Draft(node if isinstance(node, ast.Call) else _line_of(node), _message(lock))


def _is_told_to_end(method: Function, awaited: str) -> bool:
    """``self.process.kill(); self.process.wait()``."""
    return any(f"{awaited}.{ending}" in method.calls for ending in _ENDING)


def _message(lock: str) -> str:
    return f"`__del__` waits for `{lock}`: if it runs while this thread holds that, nothing ever moves again"


def _line_of(node: ast.AST) -> ast.AST:
    return node.items[0].context_expr if isinstance(node, ast.With) else node


def _taken(scene: Scene, cls: Class, method: Function, node: ast.AST, depth: int) -> str:
    """The lock a node waits for, here or in a method of the class it calls."""
    if isinstance(node, ast.With):
        return next((t for item in node.items if (t := _lock(method, cls, item.context_expr, _LOCKS))), "")
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Attribute) and node.func.attr in _WAITING and not node.args and not node.keywords:
        return _lock(method, cls, node.func.value, _LOCKS | _WAITS)
    puts = isinstance(node.func, ast.Attribute) and node.func.attr in ("put", "put_nowait")
    if isinstance(node.func, ast.Attribute) and puts and not passed_itself(node, self_name(method)):
        return _lock(method, cls, node.func.value, _QUEUES)
    called = own_method(cls, node, self_name(method)) or scene.function(method.module, dotted_text(node.func))
    if called is None or depth >= _DEEPEST:
        return ""
    return next((t for inner in nodes_of(called) if (t := _taken(scene, cls, called, inner, depth + 1))), "")


def _lock(method: Function, cls: Class, node: ast.expr, types: frozenset[str]) -> str:
    """The text of an expression, in this method or function, that is known to be a lock, a thread or a queue."""
    text, module = dotted_text(node), method.module
    if not text:
        return ""
    owner, _, attribute = text.rpartition(".")
    if not owner:
        values = [module.values.get(text)]
    elif "." in owner:  # of another object: ``self.registry.lock``
        values = [value for other in module.classes.values() for value in _set_in_class(other, attribute)]
    else:
        values = [*_set_in_class(cls, attribute)] if method.owner is not None else []
    made = (resolved(module, value.func) for value in values if isinstance(value, ast.Call))
    return text if any(dotted in types for dotted in made) else ""


def _set_in_class(cls: Class, attribute: str) -> Iterator[ast.expr | None]:
    """What an attribute is set to, in the class body or by a method."""
    for node in ast.walk(cls.node):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if dotted_text(target).rpartition(".")[2] == attribute:
                    yield node.value


RULE: Final = Rule(
    "del-blocks",
    "TEN405",
    "A `__del__` waits for a lock or a thread; it may run in the middle of the code that holds it.",
    scene=judge,
)
