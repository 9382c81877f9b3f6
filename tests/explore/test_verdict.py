"""There are three verdicts, and each answer has what its verdict promises."""

from __future__ import annotations

from hypothesis import given, settings
from tests.explore.programs import Program, programs

from tenure.explore.bounds import Bounds
from tenure.explore.explorer import explore
from tenure.explore.verdict import Verdict


def test_there_are_three() -> None:
    assert [verdict.value for verdict in Verdict] == ["holds", "broken", "unfinished"]


@settings(derandomize=True, max_examples=150, deadline=None)
@given(programs())
def test_an_answer_has_what_its_verdict_promises(program: Program) -> None:
    answer = explore(program, Bounds(states=20))
    assert (answer.story is not None) == (answer.fault is not None) == (answer.verdict is Verdict.BROKEN)
    assert (answer.why_unfinished is not None) == (answer.verdict is Verdict.UNFINISHED)
