"""A schedule is followed to the letter, or refused with what would have been possible."""

from __future__ import annotations

import pytest
from tests.explore.programs import LostUpdate, Op, Program

from tenure.explore.schedule import Schedule, UnreadableSchedule
from tenure.explore.story import replay, retell


def followed(model: LostUpdate | Program, text: str) -> list[str]:
    return [moment.label for moment in replay(model, Schedule.parse(text)).moments]


def test_a_story_tells_each_step_and_how_it_ended() -> None:
    story = replay(LostUpdate(), Schedule.parse("p0-p1-p0-p1"))
    assert [moment.label for moment in story.moments] == ["read 0", "read 0", "write 1", "write 1"]
    assert (story.fault, story.outcome) == ("an addition was lost", "number=1")
    assert story.states[0] == (0, 0, 0)
    assert str(story.schedule) == "p0-p1-p0-p1"


def test_a_story_that_stops_before_an_end_has_no_outcome() -> None:
    story = replay(LostUpdate(), Schedule.parse("p0"))
    assert (story.fault, story.outcome) == (None, None)


def test_a_choice_is_one_of_the_steps_of_that_thread() -> None:
    chooses = Program([[Op("either", 0, 1)], [Op("add", 1, 0)]])
    assert replay(chooses, Schedule.parse("p1-p0")).states[-1][2] == 1
    assert replay(chooses, Schedule.parse("p1-p0.1")).states[-1][2] == 0


def test_an_unknown_thread_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnreadableSchedule, match="step 2 is of 'gc'; the threads of lost update are p0, p1"):
        followed(LostUpdate(), "p0-gc")


def test_a_step_that_is_not_ready_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnreadableSchedule, match="step 3, p0: p0 has 0 steps there; steps are ready in p1"):
        followed(LostUpdate(), "p0-p0-p0")


def test_a_step_after_the_end_is_refused() -> None:
    with pytest.raises(UnreadableSchedule, match="the model has ended"):
        followed(LostUpdate(1), "p0-p0-p0")


def test_a_start_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnreadableSchedule, match="@3: lost update has 1 starts, the first is @0"):
        followed(LostUpdate(), "@3-p0")


def test_a_chain_that_the_model_cannot_walk_names_the_gap() -> None:
    with pytest.raises(ValueError, match=r"no step leads from \(0, 0, 0\) to \(5, 0, 0\)"):
        retell(LostUpdate(), [(0, 0, 0), (5, 0, 0)])
