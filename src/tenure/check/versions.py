"""Conditions on the version of Python, answered for every version that is still there."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any, Final

from tenure.check.modules import dotted_text

__all__ = ["answered"]

#: Every Python has this version or a newer one.
_OLDEST: Final = (3, 8)
_TWO: Final = frozenset({"PY2", "IS_PY2", "is_py2", "IS_PYTHON2"})
_THREE: Final = frozenset({"PY3", "IS_PY3", "is_py3", "IS_PYTHON3"})
_ORDERS: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def answered(test: ast.expr) -> bool | None:
    """``six.PY2`` is false and ``sys.version_info >= (3,)`` true; ``None`` for all that is another question."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        answer = answered(test.operand)
        return None if answer is None else not answer
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return _compared(test.left, _ORDERS.get(type(test.ops[0])), test.comparators[0])
    last = dotted_text(test).rpartition(".")[2]
    return False if last in _TWO else True if last in _THREE else None


def _compared(left: ast.expr, order: Callable[[Any, Any], bool] | None, right: ast.expr) -> bool | None:
    try:
        wanted = ast.literal_eval(right)
    except ValueError:
        return None
    if order is None or not _is_version(wanted):
        return None
    if dotted_text(left) == "sys.version_info" and isinstance(wanted, tuple) and wanted <= _OLDEST:
        return None if order in (operator.eq, operator.ne) else order((*_OLDEST, 1), wanted)
    first = isinstance(left, ast.Subscript) and dotted_text(left.value) == "sys.version_info"
    if (first and ast.unparse(left).endswith("[0]")) or dotted_text(left) == "sys.version_info.major":
        return order(_OLDEST[0], wanted) if isinstance(wanted, int) else None
    return None


def _is_version(value: object) -> bool:
    members = value if isinstance(value, tuple) else (value,)
    return all(isinstance(member, int) for member in members)
