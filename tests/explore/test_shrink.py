"""A story ends up with the fewest steps and switches that still tell the same, whatever it was before."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given, settings
from tests.explore.programs import LostUpdate, Op, Philosophers, Program, State, programs

from tenure.explore.schedule import Move, Schedule, UnreadableSchedule
from tenure.explore.shrink import shortest, shrunk
from tenure.explore.story import replay
from tenure.explore.walks import Uniform, walk


def best_by_trying_all(model: Program, longest: int) -> tuple[int, int] | None:
    """Steps and switches of the shortest broken schedule, found by following every string of moves."""
    for length in range(longest + 1):
        moves = [Move(name, choice) for name in model.threads for choice in (0, 1)]
        switches = [
            schedule.switches
            for schedule in (Schedule(chosen) for chosen in product(moves, repeat=length))
            if breaks(model, schedule)
        ]
        if switches:
            return length, min(switches)
    return None


def breaks(model: Program, schedule: Schedule) -> bool:
    try:
        return replay(model, schedule).fault is not None
    except UnreadableSchedule:
        return False


@settings(derandomize=True, max_examples=40, deadline=None)
@given(programs(most_threads=2, most_steps=2))
def test_no_story_is_shorter_or_has_fewer_switches_than_the_shortest(program: Program) -> None:
    best = best_by_trying_all(program, 5)
    story = shortest(program, None, 5, 10_000)
    assert (None if story is None else (story.length, story.schedule.switches)) == best


def test_a_lost_update_needs_two_switches() -> None:
    story = shortest(LostUpdate(2), "an addition was lost", 4, 1000)
    assert story is not None
    assert str(story.schedule) == "p0-p1-p1-p0"


def test_another_fault_than_the_wanted_is_passed_over() -> None:
    claims = Program([[Op("claim", 0, 0)], [Op("claim", 1, 0)]])
    story = shortest(claims, "place 1 has the value it was claimed not to have", 2, 1000)
    assert story is not None
    assert str(story.schedule) == "p1"


def test_it_gives_up_when_too_many_ways_would_have_to_be_kept() -> None:
    assert shortest(Philosophers(5), None, 20, budget=50) is None


def test_steps_that_do_not_matter_are_taken_out() -> None:
    busy = [Op("add", 1, 0)] * 6
    program = Program([[*busy, Op("claim", 0, 0)], busy])
    walked = replay(program, Schedule.parse("p1-p0-p0-p1-p0-p1-p0-p0-p1-p0-p0"))
    story = shrunk(program, walked)
    assert story.fault == walked.fault
    assert str(story.schedule) == "p0-p0-p0-p0-p0-p0-p0"


def test_turns_of_one_thread_are_joined() -> None:
    model = LostUpdate(3)
    walked = replay(model, Schedule.parse("p0-p1-p2-p0-p1-p2"))
    story = shrunk(model, walked)
    assert (story.fault, story.outcome) == (walked.fault, walked.outcome)
    assert story.schedule.switches < walked.schedule.switches


@pytest.mark.parametrize("seed", range(20))
def test_a_shrunk_walk_ends_the_same_way_and_replays(seed: int) -> None:
    model, chance = Philosophers(4), random.Random(seed)
    walked = walk(model, Uniform(chance), chance, 100)
    story = shrunk(model, walked)
    assert story.fault == walked.fault
    assert story.fault or story.outcome == walked.outcome
    assert (story.length, story.schedule.switches) <= (walked.length, walked.schedule.switches)
    again: tuple[State, ...] = replay(model, Schedule.parse(str(story.schedule))).states
    assert again == story.states
