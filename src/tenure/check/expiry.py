"""What an object keeps is out of date or has failed, and one of its methods opens another in its place."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tenure.check.classes import ENDINGS
from tenure.check.modules import Class, Function
from tenure.check.openers import CLOSER_NAMES
from tenure.check.reading import nodes_of, self_name
from tenure.check.scene import Scene

__all__ = ["expires", "renewed_after_failure"]

#: What belongs to another process, thread or loop is not this one's to close.
_OTHERS: Final = {"getpid", "get_ident", "current_thread", "current_task", "get_event_loop", "get_running_loop"}
#: In the name of an exception, these say that there is nothing to close.
_SAYING: Final = ("AttributeError", "TypeError", "ValueError", "Closed", "NotConnected", "NotOpen")


class _Answer(NamedTuple):
    """One answer that is enough to come where another is opened."""

    question: ast.expr
    yes: bool


class _Condition(NamedTuple):
    answers: list[_Answer]
    body: Sequence[ast.stmt]  #: what is done under it


def expires(scene: Scene, cls: Class, method: Function, attribute: str, opened: ast.AST) -> bool:
    """Whether a method opens another while the last one may be there, and has no thought for that one."""
    if method.calls_any(_OTHERS) or not _is_closed_at_the_end(scene, cls, attribute):
        return False
    own = self_name(method)
    conditions = list(_conditions(method, opened))
    if any(all(attribute in _attributes(a.question, own) for a in condition.answers) for condition in conditions):
        return False  # what was there has decided
    asked = [part for condition in conditions for part in _stale(condition, method, attribute)]
    if all(_is_told_by_closing(scene, cls, method, attribute, _attributes(part, own)) for part in asked):
        return False
    return not _minds(scene, cls, method, attribute, opened)


def _is_closed_at_the_end(scene: Scene, cls: Class, attribute: str) -> bool:
    return any(scene.summaries.classes.method_closes(cls, name, attribute) for name in ENDINGS & set(cls.methods))


def renewed_after_failure(
    scene: Scene, cls: Class, attribute: str, opening: Function, opened: ast.AST
) -> list[ast.Call]:
    """Where a handler calls the method that opens another, after a use of what is there has failed."""
    if list(_conditions(opening, opened)) or not _is_closed_at_the_end(scene, cls, attribute):
        return []
    if _minds(scene, cls, opening, attribute, opened):
        return []
    found: list[ast.Call] = []
    for method in cls.methods.values():
        if method is opening or f"{self_name(method)}.{opening.name}" not in method.calls:
            continue
        for node in nodes_of(method):
            if isinstance(node, ast.Try) and _uses(node.body, self_name(method), attribute):
                handlers = (handler.body for handler in node.handlers if not _says_closed(handler))
                found += [
                    c for body in handlers for c in _unprepared(scene, cls, method, body, attribute, opening.name)
                ]
    return found


def _says_closed(handler: ast.ExceptHandler) -> bool:
    """An exception of what is not there, or is closed already."""
    text = ast.unparse(handler.type) if handler.type is not None else ""
    return any(word in text for word in _SAYING)


def _uses(block: Sequence[ast.stmt], own: str, attribute: str) -> bool:
    """Whether something is called upon the attribute, which is not closed there."""
    nodes = [node for statement in block for node in ast.walk(statement) if isinstance(node, ast.Attribute)]
    used = {node.attr for node in nodes if _own(node.value, own) == attribute}
    return bool(used) and not used & CLOSER_NAMES


def _unprepared(
    scene: Scene, cls: Class, method: Function, block: Sequence[ast.stmt], attribute: str, name: str
) -> Iterator[ast.Call]:
    """The call by that name which stands alone in a handler, with nothing before it that may close what was there."""
    classes, own = scene.summaries.classes, self_name(method)
    for statement in block:
        call = statement.value if isinstance(statement, ast.Expr) else None
        call = call.value if isinstance(call, ast.Await) else call
        if isinstance(call, ast.Call) and _own(call.func, own) == name:
            yield call
            return
        mentioned = _attributes(statement, own)
        reached = {other for called in mentioned & set(cls.methods) for other in classes.reached(cls, called)}
        touching = classes.facts(cls).closed.get(attribute, set()) | classes.binders(cls, attribute)
        if attribute in mentioned or reached & touching or isinstance(statement, ast.Try | ast.If | ast.With):
            return


# -- what is asked before it is opened --------------------------------------------------------------------------------


def _conditions(method: Function, opened: ast.AST) -> Iterator[_Condition]:
    """The conditions around a place, and those that would have left the method before it."""
    block = method.node.body
    while at := next((i for i, s in enumerate(block, 1) if _holds([s], opened)), 0):
        for index, statement in enumerate(block[: at - 1], 1):
            if isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Return) and not statement.orelse:
                yield _Condition(_answers(statement.test, False), block[index:])
        around = block[at - 1]
        blocks = [b for name in ("body", "orelse", "finalbody") if isinstance(b := getattr(around, name, None), list)]
        blocks += [handler.body for handler in getattr(around, "handlers", ())]
        block = next((inner for inner in blocks if _holds(inner, opened)), [])
        if block and isinstance(around, ast.If):
            yield _Condition(_answers(around.test, block is around.body), block)


def _holds(block: Sequence[ast.stmt], opened: ast.AST) -> bool:
    return any(node is opened for statement in block for node in ast.walk(statement))


def _answers(test: ast.expr, yes: bool) -> list[_Answer]:
    """``a or b`` is so where either is, and ``a and b`` is not so where either is not."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _answers(test.operand, not yes)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or) == yes:
        return [answer for value in test.values for answer in _answers(value, yes)]
    return [_Answer(test, yes)]


def _stale(condition: _Condition, method: Function, attribute: str) -> Iterator[ast.expr]:
    """The questions whose answer says that what is there will not do: another day, too old, a parameter's wish."""
    own = self_name(method)
    first = any(_is_none(answer, own, attribute) for answer in condition.answers)
    nodes = [n for statement in condition.body for n in ast.walk(statement)]
    bound = {_own(n, own) for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)} - {""}
    for question, yes in condition.answers:
        if attribute in _attributes(question, own):
            continue
        if isinstance(question, ast.Compare) and len(question.ops) == 1 and _tells_apart(question, yes):
            renewed = any(_own(side, own) in bound for side in (question.left, *question.comparators))
            if first or renewed:
                yield question
        elif first and yes and isinstance(question, ast.Name) and question.id in method.parameters:
            yield question


def _is_none(answer: _Answer, own: str, attribute: str) -> bool:
    """``self.x is None``, ``not self.x``."""
    question, yes = answer
    if isinstance(question, ast.Compare):
        none = isinstance(question.comparators[0], ast.Constant) and question.comparators[0].value is None
        return none and yes == isinstance(question.ops[0], ast.Is | ast.Eq) and _own(question.left, own) == attribute
    return not yes and _own(question, own) == attribute


def _tells_apart(question: ast.Compare, yes: bool) -> bool:
    """``day != self.day``, ``size > LIMIT``; that a state is not the one of a name, or a count 0, is another thing."""
    sides = (question.left, question.comparators[0])
    constants = [side.value for side in sides if isinstance(side, ast.Constant)]
    if isinstance(question.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
        return all(isinstance(value, int | float) and value > 1 for value in constants)
    named = any(ast.unparse(side).rpartition(".")[2].isupper() for side in sides)
    return isinstance(question.ops[0], ast.NotEq if yes else ast.Eq) and not constants and not named


# -- what was there ---------------------------------------------------------------------------------------------------


def _is_told_by_closing(scene: Scene, cls: Class, method: Function, attribute: str, asked: set[str]) -> bool:
    """Whether a method that closes it also binds what is asked, which then says that it is closed."""
    facts = scene.summaries.classes.facts(cls)
    closing = facts.closed.get(attribute, set()) - {method.name, "__init__"}
    return any(facts.set_by.get(name, set()) & closing for name in asked)


def _minds(scene: Scene, cls: Class, method: Function, attribute: str, opened: ast.AST) -> bool:
    """Whether the method, or one that it calls, does something with what was there; what cannot be seen may."""
    classes = scene.summaries.classes
    reached = classes.reached(cls, method.name)
    if any(name not in cls.methods and name not in classes.facts(cls).set_by for name in reached):
        return True
    others = (cls.methods[name] for name in reached - {method.name} if name in cls.methods)
    if any(attribute in _attributes(node, self_name(other)) for other in others for node in nodes_of(other)):
        return True
    return _handles(method, attribute, getattr(opened, "end_lineno", 0))


def _handles(method: Function, attribute: str, line: int) -> bool:
    """Whether it is more than looked at before another is opened, or closed at all."""
    own = self_name(method)
    looked: set[int] = set()
    for node in nodes_of(method):
        if isinstance(node, ast.If):
            looked.update(id(n) for n in ast.walk(node.test))
        elif isinstance(node, ast.Return):
            looked.add(id(node.value))
        elif isinstance(node, ast.Attribute) and node.attr in CLOSER_NAMES and _own(node.value, own) == attribute:
            return True
    reads = (n for n in nodes_of(method) if _own(n, own) == attribute and isinstance(getattr(n, "ctx", None), ast.Load))
    return any(id(n) not in looked and getattr(n, "lineno", 0) <= line for n in reads)


def _own(node: ast.AST, own: str) -> str:
    """``x`` for ``self.x``."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == own:
        return node.attr
    return ""


def _attributes(node: ast.AST, own: str) -> set[str]:
    """The attributes of the object that stand in an expression."""
    return {_own(n, own) for n in ast.walk(node)} - {""}
