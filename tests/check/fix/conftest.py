"""What the checker would say of a call in a text, so that remedies can be tried on it."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable

import libcst as cst
import pytest

from tenure.check.finding import Facts, Finding
from tenure.check.fix.place import find
from tenure.check.fix.remedies import REMEDIES

#: What is known of a kind: how it is closed, and whether ``with`` does.
KINDS = {
    "file": ("{}.close()", True),
    "socket": ("{}.close()", True),
    "descriptor": ("os.close({})", False),
    "database connection": ("{}.close()", False),
    "HTTP session": ("{}.close()", True),
    "process": ("{}.wait()", True),
    "resource": ("{}.close()", True),
}


def variable(tree: ast.Module, call: ast.Call) -> str | None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and node.value is call and isinstance(node.targets[0], ast.Name):
            return node.targets[0].id
    return None


def finding(text: str, opener: str, kind: str) -> Finding:
    """A finding about the first call of ``opener`` in the text."""
    tree = ast.parse(text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == opener]
    call = min(calls, key=lambda node: (node.lineno, node.col_offset))
    assert call.end_lineno is not None
    assert call.end_col_offset is not None
    close, managed = KINDS[kind]
    start, end = (call.lineno, call.col_offset), (call.end_lineno, call.end_col_offset)
    facts = Facts("f", variable(tree, call), kind, close, managed, start, end, start, end)
    return Finding("never-closed", "TEN101", "a.py", start[0], start[1] + 1, start[0], "", "certain", (), facts)


@pytest.fixture
def remedied() -> Callable[..., str | None]:
    """Gives the text after the first remedy that is certain, or nothing where none is."""

    def run(before: str, opener: str = "open", kind: str = "file") -> str | None:
        text = textwrap.dedent(before)
        leak = finding(text, opener, kind)
        place = find(cst.parse_module(text), text, leak)
        if place is None:
            return None
        for remedy in REMEDIES:
            change = remedy(place, leak)
            if change is not None:
                code = change.module.code
                compile(code, "a.py", "exec")
                return str(code)
        return None

    return run
