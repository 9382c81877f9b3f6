"""The graph of a function has a path for every way the interpreter could take, and none besides."""

from __future__ import annotations

import ast
import textwrap

import pytest

from tenure.check import flow
from tenure.check.flow import ESCAPED, RETURNED, Flow, Kind, TooLarge, flow_of


def graph(text: str) -> Flow:
    return flow_of(ast.parse(textwrap.dedent(text)).body)


def reachable(made: Flow) -> set[int]:
    seen: set[int] = set()
    stack = [made.entry]
    while stack:
        at = stack.pop()
        if at in seen or at < 0:
            continue
        seen.add(at)
        node = made.nodes[at]
        stack.extend((node.next, node.other, node.raises, *(entry for _, entry in node.arms)))
    return seen


def copies(made: Flow, line: int) -> int:
    return sum(1 for at in reachable(made) if made.nodes[at].kind is Kind.DO and made.nodes[at].line == line)


def test_a_statement_goes_on_or_raises() -> None:
    made = graph("a()")
    node = made.nodes[made.entry]
    assert (node.next, node.raises) == (RETURNED, ESCAPED)


def test_finally_runs_on_every_way_out() -> None:
    made = graph(
        """\
        for x in y:
            try:
                if a:
                    return b
                if c:
                    break
                d()
            finally:
                e()
        """
    )
    assert copies(made, 9) == 4  # on to the next item, out by break, out by return, out by exception


def test_a_while_loop_runs_its_else_unless_it_is_broken_off() -> None:
    made = graph("while a:\n    break\nelse:\n    b()")
    head = made.nodes[made.entry]
    assert head.next == RETURNED
    assert made.nodes[head.other].line == 4


def test_an_exception_looks_at_the_handlers_in_order_and_goes_on_if_none_fits() -> None:
    made = graph("try:\n    a()\nexcept ValueError:\n    b()\nexcept OSError:\n    c()")
    catch = made.nodes[made.nodes[made.entry].raises]
    assert catch.kind is Kind.CATCH
    assert [kind.id for kind, _ in catch.arms if isinstance(kind, ast.Name)] == ["ValueError", "OSError"]
    assert catch.next == ESCAPED


def test_a_with_statement_is_left_on_every_way_out() -> None:
    made = graph("with a as b:\n    if c:\n        return d\n    e()")
    leaves = [made.nodes[at] for at in reachable(made) if made.nodes[at].kind is Kind.LEAVE]
    assert sorted(node.next for node in leaves) == [RETURNED, RETURNED, ESCAPED]


def test_a_long_chain_of_elif_is_no_deep_graph() -> None:
    text = "if a == 0:\n    pass\n" + "".join(f"elif a == {n}:\n    f({n})\n" for n in range(1, 60))
    assert len(reachable(graph(text))) > 100


def test_a_graph_that_grows_without_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "LIMIT", 50)
    text = (
        "".join(f"{'    ' * n}try:\n{'    ' * n}    a()\n{'    ' * n}finally:\n" for n in range(12))
        + "    " * 12
        + "b()"
    )
    with pytest.raises(TooLarge, match="more than 50 nodes"):
        graph(text)
