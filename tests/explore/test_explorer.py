"""One model in, one answer out: holds, broken with its shortest story, or unfinished with the bound."""

from __future__ import annotations

import pytest
from tests.explore.programs import Counters, LostUpdate, Op, Philosophers, Program, State

from tenure.explore.bounds import Bounds
from tenure.explore.explorer import explore
from tenure.explore.schedule import Schedule
from tenure.explore.story import replay
from tenure.explore.verdict import Verdict


class Twins(Counters):
    """Two alike threads of which the one that is ahead breaks the rule; only the representative is visited."""

    def broken(self, state: State) -> str | None:
        return f"{self.threads[state.index(2)]} is at two" if 2 in state else None


def test_what_nothing_breaks_holds() -> None:
    answer = explore(Counters(2, 3))
    assert answer.verdict is Verdict.HOLDS
    assert (answer.fault, answer.story, answer.why_unfinished) == (None, None, None)


def test_what_breaks_comes_with_the_shortest_story() -> None:
    answer = explore(LostUpdate(2))
    assert answer.verdict is Verdict.BROKEN
    assert answer.fault == "an addition was lost"
    assert answer.shortest
    assert answer.story is not None
    assert replay(LostUpdate(2), Schedule.parse(str(answer.story.schedule))) == answer.story


def test_a_bound_that_was_hit_is_not_a_pass() -> None:
    answer = explore(Counters(3, 9), Bounds(states=50), reduce=False)
    assert answer.verdict is Verdict.UNFINISHED
    assert answer.why_unfinished == "the bound of 50 states"


def test_a_fault_found_before_the_bound_is_broken() -> None:
    assert explore(LostUpdate(3), Bounds(states=10_000, depth=6)).verdict is Verdict.BROKEN


def test_every_outcome_comes_with_a_witness_that_replays() -> None:
    answer = explore(LostUpdate(3), stop_at_fault=False)
    assert list(answer.outcomes) == ["number=1", "number=2", "number=3"]
    for seen, outcome in answer.outcomes.items():
        assert replay(LostUpdate(3), outcome.witness.schedule).outcome == seen


def test_asked_to_go_on_it_tells_every_fault_once() -> None:
    claims = Program([[Op("either", 0, 1), Op("claim", 0, 1)], [Op("wait", 1, 1)]])
    answer = explore(claims, stop_at_fault=False)
    assert answer.fault == "place 0 has the value it was claimed not to have"
    assert set(answer.others) == {"somebody waits for ever"}
    assert str(answer.others["somebody waits for ever"].schedule) == "p0.1-p0"


def test_a_story_found_among_representatives_is_told_of_real_threads() -> None:
    answer = explore(Twins(3, 4), reduce=False)
    assert answer.effort.symmetric
    assert answer.story is not None
    assert replay(Twins(3, 4), answer.story.schedule) == answer.story
    assert answer.fault == "p0 is at two"


def test_a_story_too_wide_to_make_shortest_is_at_least_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenure.explore.explorer._BUDGET", 10)
    whole, fewer = explore(Philosophers(4), reduce=False), explore(Philosophers(4))
    assert whole.shortest
    assert not fewer.shortest
    assert whole.story is not None
    assert fewer.story is not None
    assert fewer.story.fault == whole.story.fault


def test_a_model_whose_names_cannot_be_written_is_refused_before_the_search() -> None:
    model = Counters(1, 1)
    model.threads = ("p-0",)
    with pytest.raises(ValueError, match="rename it"):
        explore(model)


def test_a_model_that_begins_broken_is_broken_without_a_step() -> None:
    answer = explore(Program([[Op("wait", 0, 1)]]))
    assert answer.verdict is Verdict.BROKEN
    assert answer.fault == "somebody waits for ever"
    assert answer.story is not None
    assert str(answer.story.schedule) == "@0"
