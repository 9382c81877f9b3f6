"""``f = open(p)`` becomes ``with open(p) as f:``, or a ``try`` whose ``finally`` closes it, as far as it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import libcst as cst

from tenure.check.finding import Finding
from tenure.check.fix import kinds
from tenure.check.fix.extent import extent
from tenure.check.fix.maker import may_give_nothing
from tenure.check.fix.place import Place, callee
from tenure.check.fix.remedies.change import Change
from tenure.check.fix.shape import assigned_call, closing_calls, parsed, protected, with_block
from tenure.check.fix.tidy import tidied

__all__ = ["remedy"]


def remedy(place: Place, finding: Finding) -> Change | None:
    """Close it where the function is done with it."""
    facts, name = place.facts, place.facts.variable
    target = assigned_call(place.statement, place.call)
    if name is None or name == "_" or target is None:
        return None
    closes = kinds.closes(facts, name, callee(place))
    names = _names(target)
    count = extent(place, name, names, closes) if name in names else None
    if count is None:
        return None
    body = tidied(place.after[:count], name, closes)
    if kinds.by_with(facts, callee(place)):
        if may_give_nothing(place.module, place.call):
            return None
        return _in_with(place, target, name, body, count)
    if facts.close.startswith("os.") and not place.may_mean_module("os"):
        return None
    if not kinds.by_finally(facts) or (kinds.closes_once(facts) and closing_calls(body, closes[0])):
        return None
    line = cast(cst.SimpleStatementLine, place.statement)
    if not body:
        at_once = _changed(place, [line, parsed(closes[0])], count, "close it at once")
        return at_once if kinds.closes_once(facts) else None
    return _changed(place, [line, protected(body, closes[0])], count, "close it in a finally")


def _names(target: cst.BaseExpression) -> list[str]:
    """The names the call's result is given; none where something else than names is assigned to."""
    parts = [part.value for part in target.elements] if isinstance(target, cst.Tuple) else [target]
    names = [part.value for part in parts if isinstance(part, cst.Name)]
    return names if len(names) == len(parts) else []


def _in_with(
    place: Place, target: cst.BaseExpression, name: str, body: Sequence[cst.BaseStatement], count: int
) -> Change | None:
    """``with open(p) as f:``; for one of several results ``with f:`` behind the assignment."""
    facts, function = place.facts, callee(place)
    line = cast(cst.SimpleStatementLine, place.statement)
    if not body:
        return None
    if isinstance(target, cst.Tuple):
        if kinds.needs_async(facts, function) or kinds.ends_politely(function):
            return None
        return _changed(place, [line, with_block([(cst.Name(name), "")], body)], count, "close it with a with block")
    asynchronous = kinds.needs_async(facts, function)
    block = with_block([(place.call, name)], body, line, asynchronous=asynchronous)
    return _changed(place, [block], count, f"open it in {'an async with' if asynchronous else 'a with'} block")


def _changed(place: Place, new: Sequence[cst.BaseStatement], count: int, title: str) -> Change:
    before = place.block.body[: place.index]
    needs = ["os"] if place.facts.close.startswith("os.") else []
    return Change(title, place.with_body([*before, *new, *place.after[count:]], needs))
