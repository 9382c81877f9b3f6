"""Takes out of a block what the block around it does from now on: closing statements, and handlers that only close."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import libcst as cst

from tenure.check.fix.place import name_uses
from tenure.check.fix.shape import is_close, only_small

__all__ = ["tidied"]


def tidied(body: Sequence[cst.BaseStatement], name: str, closes: Sequence[str]) -> list[cst.BaseStatement]:
    """``body`` without a last ``close``, without handlers that close and raise, without a ``finally`` that closes."""
    statements = list(body)
    while statements and (is_close(statements[-1], closes) or _is_delete(statements[-1], name)):
        statements.pop()
    return [part for statement in statements for part in _opened(statement, name, closes)]


def _is_delete(statement: cst.BaseStatement, name: str) -> bool:
    small = only_small(statement)
    return isinstance(small, cst.Del) and isinstance(small.target, cst.Name) and small.target.value == name


def _opened(statement: cst.BaseStatement, name: str, closes: Sequence[str]) -> list[cst.BaseStatement]:
    """What is left of a ``try`` once its closing is done outside; any other statement as it is."""
    if not isinstance(statement, cst.Try) or not isinstance(statement.body, cst.IndentedBlock):
        return [statement]
    if not name_uses(statement, name):
        return [statement]
    final = None if _only_closes(statement.finalbody, closes) else statement.finalbody
    handlers = () if all(_closes_and_raises(handler, closes) for handler in statement.handlers) else statement.handlers
    if handlers or final is not None:
        return [statement.with_changes(handlers=handlers, finalbody=final)]
    freed = [*statement.body.body, *_body(statement.orelse)]
    first = freed[0].with_changes(leading_lines=[*statement.leading_lines, *_leading(freed[0])])
    return [cast(cst.BaseStatement, first), *cast(list[cst.BaseStatement], freed[1:])]


def _leading(statement: cst.CSTNode) -> Sequence[cst.EmptyLine]:
    return cast(Sequence[cst.EmptyLine], getattr(statement, "leading_lines", ()))


def _body(branch: cst.Else | None) -> Sequence[cst.CSTNode]:
    return branch.body.body if branch is not None else ()


def _only_closes(branch: cst.Finally | None, closes: Sequence[str]) -> bool:
    return branch is not None and len(branch.body.body) == 1 and is_close(branch.body.body[0], closes)


def _closes_and_raises(handler: cst.ExceptHandler, closes: Sequence[str]) -> bool:
    lines = handler.body.body
    if len(lines) != 2 or not is_close(lines[0], closes):
        return False
    small = only_small(lines[1])
    return isinstance(small, cst.Raise) and small.exc is None
