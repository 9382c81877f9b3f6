"""The search visits everything within its bounds, shortest first, and says when a bound kept it from that."""

from __future__ import annotations

import gc

import pytest
from tests.explore.programs import Counters, LostUpdate, State

from tenure.explore.bounds import Bounds
from tenure.explore.model import Step
from tenure.explore.search import Progress, Search


class Ticking:
    """A meter on which every look costs a second and five megabytes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.held = 0.0

    def seconds(self) -> float:
        self.now += 1
        return self.now

    def megabytes(self) -> float:
        self.held += 5
        return self.held


def searched(
    model: Counters | LostUpdate, bounds: Bounds | None = None, symmetry: bool = True, reduce: bool = True
) -> Search[State]:
    search = Search(model, bounds or Bounds(), meter=Ticking(), symmetry=symmetry, reduce=reduce)
    search.run()
    return search


def test_every_state_is_visited_once() -> None:
    search = searched(Counters(3, 4), symmetry=False, reduce=False)
    assert len(search.seen) == 5**3
    assert search.steps == 3 * 4 * 5**2
    assert search.depth == 12
    assert search.unfinished is None


def test_states_that_differ_in_names_only_are_visited_once() -> None:
    assert len(searched(Counters(3, 4), reduce=False).seen) == 35


def test_ends_are_counted_by_what_is_seen() -> None:
    search = searched(LostUpdate(3))
    assert {seen: count for seen, (count, _) in search.ends.items()} == {f"number={n}": 1 for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (Bounds(states=100), "the bound of 100 states"),
        (Bounds(seconds=6), "the bound of 6 seconds"),
        (Bounds(megabytes=30), "the bound of 30 MB of memory"),
        (Bounds(depth=4), "the bound of 4 steps from the start"),
    ],
)
def test_a_bound_that_is_reached_leaves_it_unfinished(bounds: Bounds, words: str) -> None:
    search = searched(Counters(3, 9), bounds, symmetry=False, reduce=False)
    assert search.unfinished == words
    assert len(search.seen) < 1000


def test_a_bound_on_states_is_kept_to_within_the_steps_of_one_state() -> None:
    search = searched(Counters(4, 20), Bounds(states=5000), symmetry=False, reduce=False)
    assert 5000 <= len(search.seen) < 5000 + 4


def test_a_bound_that_just_fits_is_not_reached() -> None:
    assert searched(Counters(2, 2), Bounds(depth=4), symmetry=False).unfinished is None


def test_a_chain_leads_from_a_start_step_by_step() -> None:
    search = searched(Counters(2, 1), symmetry=False, reduce=False)
    assert search.chain((1, 1)) == [(0, 0), (1, 0), (1, 1)]


def test_progress_is_told_while_it_runs() -> None:
    told: list[Progress] = []
    Search(Counters(3, 9), Bounds(), meter=Ticking(), progress=told.append, symmetry=False, reduce=False).run()
    assert len(told) > 5
    assert told[-1].states > told[0].states > 0
    assert all(step.frontier > 0 for step in told)
    assert told[0].rate == told[0].states / told[0].seconds


def test_the_collector_is_given_back_as_it_was_found() -> None:
    assert gc.isenabled()
    searched(Counters(2, 2))
    assert gc.isenabled()
    gc.disable()
    try:
        searched(Counters(2, 2))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_interrupt_leaves_it_unfinished_with_what_was_found_so_far() -> None:
    class Impatient(Counters):
        def steps(self, state: State) -> list[Step[State]]:
            if sum(state) == 5:
                raise KeyboardInterrupt
            return super().steps(state)

    search = searched(Impatient(3, 9), symmetry=False, reduce=False)
    assert search.unfinished == "an interrupt"
    assert search.depth == 5
