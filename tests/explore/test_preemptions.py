"""Few preemptions find what needs few; and unless the bound made no difference, the answer is unfinished."""

from __future__ import annotations

from hypothesis import given, settings
from tests.explore.programs import Counters, LostUpdate, Program, programs

from tenure.explore.explorer import explore
from tenure.explore.preemptions import FewPreemptions
from tenure.explore.verdict import Verdict


def test_without_a_preemption_nothing_is_lost() -> None:
    answer = explore(LostUpdate(2), preemptions=0)
    assert answer.verdict is Verdict.UNFINISHED
    assert answer.why_unfinished == "the bound of 0 preemptions"
    assert set(answer.outcomes) == {"number=2"}


def test_one_preemption_is_enough_to_lose_an_addition() -> None:
    answer = explore(LostUpdate(2), preemptions=1)
    assert answer.verdict is Verdict.BROKEN
    assert answer.story is not None
    assert str(answer.story.schedule) == "p0-p1-p1-p0"


def test_a_bound_that_made_no_difference_is_no_bound() -> None:
    assert explore(Counters(1, 3), preemptions=0).verdict is Verdict.HOLDS
    assert explore(LostUpdate(1), preemptions=0).verdict is Verdict.HOLDS


def test_who_takes_over_from_a_thread_that_ended_preempts_nobody() -> None:
    few = FewPreemptions(LostUpdate(2), 0)
    state = ((1, -1, 0), 0, 0)
    assert [step[0] for step in few.steps(state)] == [1]
    assert not few.refused


@settings(derandomize=True, max_examples=100, deadline=None)
@given(programs())
def test_with_many_preemptions_the_ends_are_those_without_a_bound(program: Program) -> None:
    whole = explore(program, stop_at_fault=False)
    assert set(explore(program, preemptions=24, stop_at_fault=False).outcomes) == set(whole.outcomes)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(programs())
def test_few_preemptions_show_nothing_that_cannot_happen(program: Program) -> None:
    whole = explore(program, stop_at_fault=False)
    assert set(explore(program, preemptions=1, stop_at_fault=False).outcomes) <= set(whole.outcomes)
