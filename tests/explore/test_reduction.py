"""Whatever the program, the reduction loses no end and no fault; and it does leave out what it can."""

from __future__ import annotations

from hypothesis import given, settings
from tests.explore.programs import Counters, Op, Philosophers, Program, State, programs

from tenure.explore.explorer import explore
from tenure.explore.reduction import persistent
from tenure.explore.verdict import Answer, Verdict


def faults(answer: Answer[State]) -> set[str | None]:
    return {answer.fault, *answer.others}


@settings(derandomize=True, max_examples=400, deadline=None)
@given(programs())
def test_every_end_and_every_fault_is_found_with_and_without(program: Program) -> None:
    whole = explore(program, reduce=False, stop_at_fault=False)
    fewer = explore(program, reduce=True, stop_at_fault=False)
    assert set(fewer.outcomes) == set(whole.outcomes)
    assert faults(fewer) == faults(whole)
    assert fewer.effort.states <= whole.effort.states


@settings(derandomize=True, max_examples=150, deadline=None)
@given(programs(most_threads=4, most_steps=3))
def test_the_verdict_and_the_length_of_the_story_are_the_same_with_and_without(program: Program) -> None:
    whole, fewer = explore(program, reduce=False), explore(program, reduce=True)
    assert whole.verdict is fewer.verdict
    assert whole.story is None or (fewer.story is not None and fewer.story.length == whole.story.length)


def test_threads_that_never_meet_are_visited_one_after_the_other() -> None:
    answer = explore(Counters(4, 5), symmetry=False)
    assert answer.effort.states == 4 * 5 + 1
    assert answer.effort.reduced


def test_a_deadlock_is_found_where_philosophers_are_reduced() -> None:
    whole, fewer = explore(Philosophers(4), reduce=False), explore(Philosophers(4))
    assert whole.verdict is fewer.verdict is Verdict.BROKEN
    assert fewer.effort.states < whole.effort.states


def test_a_loop_that_nobody_has_to_leave_puts_nobody_off() -> None:
    """Without the third condition the loop alone would be visited, and the broken claim never seen."""
    spins = [Op("add", 1, 0), Op("again", 2, 0)]
    answer = explore(Program([spins, [Op("claim", 0, 0)]]))
    assert answer.verdict is Verdict.BROKEN


def test_who_waits_for_a_thread_that_is_ready_draws_it_in() -> None:
    waits, writes, apart = (1, 0, 1, 0, False), (0, 1, 0, 1, False), (2, 2, 2, 2, False)
    assert persistent({1, 2}, [waits, writes, apart]) == {0, 1}
    assert persistent({0, 1}, [waits, writes, apart]) is None


def test_a_step_that_may_break_something_never_goes_alone() -> None:
    shows, apart = (1, 1, 1, 1, True), (2, 2, 2, 2, False)
    assert persistent({0, 1}, [shows, apart]) == {1}
    assert persistent({0, 1}, [shows, (2, 2, 2, 2, True)]) is None
