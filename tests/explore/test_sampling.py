"""What samples show is real; that they show nothing is unfinished."""

from __future__ import annotations

import random

from tests.explore.programs import Counters, LostUpdate, Philosophers
from tests.explore.test_search import Ticking

from tenure.explore.bounds import Bounds
from tenure.explore.explorer import explore
from tenure.explore.sampling import sample
from tenure.explore.search import Progress
from tenure.explore.verdict import Verdict
from tenure.explore.walks import Pct, Uniform


def test_a_fault_that_a_walk_meets_is_shrunk_and_told() -> None:
    chance = random.Random(1)
    answer = sample(LostUpdate(2), Uniform(chance), chance, 1000)
    assert answer.verdict is Verdict.BROKEN
    assert answer.story is not None
    assert answer.story.schedule.switches == 2
    assert not answer.shortest


def test_many_walks_without_a_fault_prove_nothing_and_say_so() -> None:
    chance = random.Random(1)
    answer = sample(Counters(6, 6), Uniform(chance), chance, 50)
    assert answer.verdict is Verdict.UNFINISHED
    assert answer.why_unfinished == "only 50 random schedules were followed"
    assert answer.effort.runs == 50
    assert answer.outcomes["all at the top"].count == 50


def test_a_bound_ends_the_sampling_and_is_named() -> None:
    chance = random.Random(1)
    answer = sample(Counters(3, 3), Pct(chance), chance, 10_000, Bounds(seconds=20), meter=Ticking())
    assert answer.why_unfinished is not None
    assert answer.why_unfinished.endswith("PCT schedules were followed, up to the bound of 20 seconds")


def test_pct_meets_the_deadlock_of_many_philosophers() -> None:
    chance = random.Random(2)
    answer = sample(Philosophers(6), Pct(chance, depth=6), chance, 20_000)
    assert answer.fault == "everybody waits for a fork"


def test_walks_see_only_outcomes_that_the_search_sees() -> None:
    chance = random.Random(4)
    sampled = sample(Philosophers(3), Uniform(chance), chance, 1)
    assert set(sampled.outcomes) <= set(explore(Philosophers(3), stop_at_fault=False).outcomes)


def test_progress_is_told_every_hundred_walks() -> None:
    told: list[Progress] = []
    chance = random.Random(1)
    sample(Counters(2, 2), Uniform(chance), chance, 250, progress=told.append)
    assert [step.frontier for step in told] == [150, 50]
