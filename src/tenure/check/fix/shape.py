"""The shapes of statements the fixes look for and build."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile
from typing import cast

import libcst as cst

__all__ = [
    "assigned_call",
    "closing_calls",
    "is_close",
    "only_expression",
    "only_small",
    "parsed",
    "protected",
    "released_on_error",
    "with_block",
]


def parsed(code: str) -> cst.BaseStatement:
    """One statement from its text."""
    return cast(cst.BaseStatement, cst.parse_statement(code))


def only_small(statement: cst.CSTNode) -> cst.BaseSmallStatement | None:
    """The small statement of a line that holds exactly one."""
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1:
        return statement.body[0]
    return None


def only_expression(statement: cst.CSTNode) -> cst.BaseExpression | None:
    """The expression of a line that is nothing else."""
    small = only_small(statement)
    return small.value if isinstance(small, cst.Expr) else None


def assigned_call(statement: cst.CSTNode, call: cst.BaseExpression) -> cst.BaseExpression | None:
    """The single target of ``target = call``, or of ``target = await call``, where the statement is just that."""
    small = only_small(statement)
    if not isinstance(small, cst.Assign) or len(small.targets) != 1:
        return None
    value = small.value.expression if isinstance(small.value, cst.Await) else small.value
    return small.targets[0].target if value is call else None


def is_close(statement: cst.CSTNode, closes: Sequence[str]) -> bool:
    """Whether the statement is exactly one of ``closes``, such as ``f.close()``."""
    expression = only_expression(statement)
    return expression is not None and any(expression.deep_equals(cst.parse_expression(close)) for close in closes)


def _block(body: Sequence[cst.BaseStatement]) -> cst.IndentedBlock:
    """A block that does not begin with blank lines; comments stay."""
    if not body:
        return cst.IndentedBlock(body=[parsed("pass")])
    lines = dropwhile(lambda line: line.comment is None, getattr(body[0], "leading_lines", ()))
    return cst.IndentedBlock(body=[body[0].with_changes(leading_lines=list(lines)), *body[1:]])


def with_block(
    items: Sequence[tuple[cst.BaseExpression, str]],
    body: Sequence[cst.BaseStatement],
    like: cst.SimpleStatementLine | None = None,
    *,
    asynchronous: bool = False,
) -> cst.With:
    """``with CALL as NAME, …:`` around ``body``, with the comments of the statement it takes the place of."""
    block = _block(body)
    if like is not None:
        block = block.with_changes(header=like.trailing_whitespace)
    return cst.With(
        items=[cst.WithItem(item, cst.AsName(cst.Name(name)) if name else None) for item, name in items],
        body=block,
        asynchronous=cst.Asynchronous() if asynchronous else None,
        leading_lines=like.leading_lines if like is not None else (),
    )


def protected(body: Sequence[cst.BaseStatement], close: str) -> cst.Try:
    """``try: body / finally: close``."""
    return cst.Try(body=_block(body), finalbody=cst.Finally(body=_block([parsed(close)])))


def released_on_error(body: Sequence[cst.BaseStatement], close: str) -> cst.Try:
    """``try: body / except BaseException: close / raise``."""
    handler = cst.ExceptHandler(
        type=cst.Name("BaseException"),
        body=_block([parsed(close), parsed("raise")]),
    )
    return cst.Try(body=_block(body), handlers=[handler])


class _Calls(cst.CSTVisitor):
    def __init__(self, code: str) -> None:
        self.wanted = cst.parse_expression(code)
        self.count = 0

    def visit_Call(self, node: cst.Call) -> None:
        self.count += node.deep_equals(self.wanted)


def closing_calls(body: Sequence[cst.BaseStatement], close: str) -> int:
    """How many calls in ``body`` are exactly ``close``."""
    visitor = _Calls(close)
    for statement in body:
        statement.visit(visitor)
    return visitor.count
