"""``json.load(open(p))`` becomes ``with open(p) as file:`` around ``json.load(file)``: the acquisition moves out."""

from __future__ import annotations

import itertools
from typing import Final, cast

import libcst as cst

from tenure.check.finding import Facts, Finding
from tenure.check.fix import kinds
from tenure.check.fix.maker import may_give_nothing
from tenure.check.fix.place import Place, callee, name_uses
from tenure.check.fix.reach import used_up
from tenure.check.fix.remedies.change import Change
from tenure.check.fix.shape import with_block

__all__ = ["remedy"]

#: What to call it, by its kind; a name that is taken gets a number.
_NAMES: Final = {
    "file": "file",
    "temporary file": "file",
    "archive": "archive",
    "socket": "connection",
    "memory map": "mapping",
    "HTTP response": "response",
    "directory scan": "entries",
    "image": "image",
}

#: What may stand around the acquisition: it is evaluated at once, once, and after nothing but names and constants.
_TRANSPARENT: Final = (cst.Arg, cst.Attribute, cst.Call, cst.Assign, cst.Expr, cst.Return, cst.SimpleStatementLine)
_LOOPS: Final = (cst.ListComp, cst.SetComp, cst.DictComp)


def remedy(place: Place, finding: Finding) -> Change | None:
    """Open it in a ``with`` around the statement that uses it."""
    facts = place.facts
    if place.function is None or _has_name(facts) or not kinds.by_with(facts, callee(place)):
        return None
    if kinds.needs_async(facts, callee(place)) or not _evaluated_first(place):
        return None
    if may_give_nothing(place.module, place.call):
        return None
    name = _free_name(place, _NAMES.get(facts.kind, "resource"))
    inner = cast(cst.SimpleStatementLine | cst.For, place.statement)
    if _is_target(place) or not used_up(place, place.call):
        return None
    used = cast(cst.SimpleStatementLine | cst.For, inner.deep_replace(place.call, cst.Name(name)))
    block = with_block([(place.call, name)], [used.with_changes(leading_lines=())])
    block = block.with_changes(leading_lines=inner.leading_lines)
    before = place.block.body[: place.index]
    return Change("open it in a with block", place.with_body([*before, block, *place.after]))


def _has_name(facts: Facts) -> bool:
    return facts.variable is not None and facts.variable.isidentifier()


def _evaluated_first(place: Place) -> bool:
    """Whether nothing that could fail or be seen runs before the acquisition in its statement, and it runs once."""
    node: cst.CSTNode = place.call
    for outer in place.up(place.call):
        if isinstance(outer, cst.CompFor):
            around = place.parents[outer]
            if node is not outer.iter or getattr(around, "for_in", None) is not outer:
                return False
        elif isinstance(outer, _LOOPS):
            if node is not outer.for_in:
                return False
        elif isinstance(outer, cst.For):
            if node is not outer.iter or outer.asynchronous is not None:
                return False
        elif isinstance(outer, cst.Call):
            if not _quiet_before(outer, node):
                return False
        elif not isinstance(outer, _TRANSPARENT):
            return False
        if outer is place.statement:
            return isinstance(outer, cst.For) or (isinstance(outer, cst.SimpleStatementLine) and len(outer.body) == 1)
        node = outer
    return False


def _quiet_before(call: cst.Call, node: cst.CSTNode) -> bool:
    """Whether what the call evaluates before ``node`` is names, attributes of names and constants."""
    if node is call.func:
        return True
    before = [arg.value for arg in itertools.takewhile(lambda arg: arg is not node, call.args)]
    return all(_is_quiet(part) for part in (call.func, *before))


def _is_quiet(node: cst.BaseExpression) -> bool:
    if isinstance(node, cst.Attribute):
        return _is_quiet(node.value)
    return isinstance(node, cst.Name | cst.SimpleString | cst.Integer | cst.Float)


def _is_target(place: Place) -> bool:
    """``f = open(p)`` has a name already, and ``open(p)`` alone no use."""
    return isinstance(place.parents[place.call], cst.Assign | cst.Expr | cst.Return)


def _free_name(place: Place, wish: str) -> str:
    """``wish``, or with a number behind it, so that it hides nothing that the function uses."""
    names = itertools.chain([wish], (f"{wish}_{number}" for number in itertools.count(2)))
    return next(name for name in names if not name_uses(cast(cst.FunctionDef, place.function), name))
