"""A walk is decided by its seed alone, and PCT keeps to its priorities except where they change."""

from __future__ import annotations

import random

import pytest
from tests.explore.programs import Counters, LostUpdate, Op, Program

from tenure.explore.schedule import Schedule
from tenure.explore.story import replay
from tenure.explore.walks import Pct, Uniform, walk


def walked(seed: int, kind: type[Uniform] | type[Pct]) -> str:
    chance = random.Random(seed)
    return str(walk(Counters(3, 5), kind(chance), chance, 100).schedule)


@pytest.mark.parametrize("kind", [Uniform, Pct])
def test_the_same_seed_walks_the_same_way(kind: type[Uniform] | type[Pct]) -> None:
    assert walked(7, kind) == walked(7, kind)
    assert len({walked(seed, kind) for seed in range(8)}) > 1


def test_a_walk_replays_to_the_same_states() -> None:
    model, chance = Program([[Op("either", 0, 1)] * 3, [Op("copy", 1, 0, 0)] * 3]), random.Random(3)
    story = walk(model, Uniform(chance), chance, 100)
    assert replay(model, Schedule.parse(str(story.schedule))) == story


def test_a_walk_stops_where_it_is_told_to() -> None:
    chance = random.Random(1)
    story = walk(Counters(2, 50), Uniform(chance), chance, 10)
    assert story.length == 10
    assert story.outcome is None


def test_a_walk_stops_at_the_first_broken_state() -> None:
    chance = random.Random(1)
    story = walk(Program([[Op("claim", 0, 0), Op("add", 1, 0)]]), Uniform(chance), chance, 10)
    assert [moment.move.thread for moment in story.moments] == ["p0"]


def test_pct_without_a_change_lets_one_thread_run_to_its_end() -> None:
    chance = random.Random(5)
    story = walk(LostUpdate(4), Pct(chance, depth=1), chance, 100)
    assert story.schedule.switches == 3


def test_pct_changes_over_at_most_depth_minus_one_times() -> None:
    chance = random.Random(11)
    scheduler = Pct(chance, depth=2)
    switches = [walk(LostUpdate(3), scheduler, chance, 100).schedule.switches for _ in range(200)]
    assert max(switches) == 3
    assert min(switches) == 2
