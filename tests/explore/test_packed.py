"""A search through packed states is the same search; a model that cuts its states wrongly is told so."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, cast

import pytest
from hypothesis import given, settings
from tests.explore.alike import search_alike
from tests.explore.programs import Meeting, Op, State, code

from tenure.explore import packed
from tenure.explore.boxed import Boxed
from tenure.explore.explorer import explore
from tenure.explore.model import Step
from tenure.explore.resource import Cast, Resource
from tenure.explore.verdict import Verdict
from tenure.lifecycle import TABLE, Arrow, Effect, Event
from tenure.lifecycle import State as At

CARELESS = {**TABLE, (At.LEASED, Event.CLOSE): Arrow(At.CLOSED, Effect.RELEASE)}


@settings(derandomize=True, max_examples=300, deadline=None)
@given(code())
def test_any_program_is_searched_the_same_way(threads: list[list[Op]]) -> None:
    search_alike(Meeting(threads))


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize(
    "model",
    [
        Resource(Cast(2, 1)),
        Resource(Cast(1, 2, fork=True)),
        Resource(Cast(1, 0, 1, ghosts=True)),
        Resource(Cast(2, 1, detachers=1)),
        Resource(Cast(2, 2), table=CARELESS),
        Resource(Cast(1, 2), split=frozenset({Event.LEASE, Event.CLOSE})),
        Resource(Cast(2, 2), early=True),
    ],
)
def test_a_resource_is_searched_the_same_way(model: Resource, symmetry: bool) -> None:
    search_alike(model, symmetry)


def test_a_box_is_searched_the_same_way() -> None:
    search_alike(Boxed(2, 1, 1))
    search_alike(Boxed(1, 1, without="a close writes the state before it counts"))


@pytest.mark.parametrize("preemptions", [None, 1])
def test_the_answer_is_the_same_with_and_without(preemptions: int | None) -> None:
    careless = Resource(Cast(2, 2), table=CARELESS)
    quick, plain = (
        explore(careless, pack=pack, preemptions=preemptions, stop_at_fault=False) for pack in (True, False)
    )
    assert (quick.story, quick.others, quick.outcomes) == (plain.story, plain.others, plain.outcomes)
    assert quick.story is not None


def test_a_story_is_told_in_the_states_of_the_model() -> None:
    model = Meeting([[Op("either", 0, 1), Op("claim", 0, 1)], [Op("wait", 1, 1)]])
    answer = explore(model, stop_at_fault=False)
    assert answer.story is not None
    told = [answer.story, *answer.others.values(), *(end.witness for end in answer.outcomes.values())]
    assert {len(state) for story in told for state in story.states} == {len(model.starts()[0])}


def test_where_nearly_every_step_is_new_it_is_searched_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_PROBATION", range(10, 100))
    monkeypatch.setattr("tenure.explore.search._BATCH", 1)
    asked: list[State] = []

    class Remembering(Meeting):
        """Every step is told in what is shared, so no two states share anything."""

        def steps(self, state: State) -> list[Step[State]]:
            asked.append(state)
            return super().steps(state)

        def parts(self, state: State) -> tuple[Hashable, ...]:
            return ((state, *state[len(self.code) :]), *state[: len(self.code)])

        def whole(self, parts: tuple[Any, ...]) -> State:
            return cast(State, parts[0][0])

    model = Remembering([[Op("add", 0, 0)] * 6, [Op("add", 1, 0)] * 6])
    answer = explore(model)
    assert len(asked) >= answer.effort.states
    assert answer.effort.states == explore(model, pack=False).effort.states
    assert answer.verdict is Verdict.HOLDS


class Pair:
    """Two threads that each count to three in a row of their own, and a state cut as ``facets`` and ``asks`` say."""

    name = "pair"
    threads = ("a", "b")

    def starts(self) -> list[State]:
        return [(0, 0, 0)]

    def steps(self, state: State) -> list[Step[State]]:
        return [*self.steps_of(0, state), *self.steps_of(1, state)]

    def steps_of(self, thread: int, state: State) -> list[Step[State]]:
        shared, *own = state
        own[thread] += 1
        return [(thread, "count", (shared, *own))] if own[thread] < 4 else []

    def parts(self, state: State) -> tuple[Hashable, ...]:
        return state

    def whole(self, parts: tuple[Any, ...]) -> State:
        return parts

    def facets(self, thread: int, own: Any) -> tuple[Hashable, ...]:
        return (own,)

    def asks(self, thread: int, own: Any) -> list[tuple[int, int]]:
        return []

    def broken(self, state: State) -> str | None:
        return None

    broken_at_end = broken

    def outcome(self, state: State) -> str:
        return str(state[0])


def test_a_step_that_changes_what_it_does_not_ask_for_is_an_error() -> None:
    class Meddling(Pair):
        def steps_of(self, thread: int, state: State) -> list[Step[State]]:
            return [(0, "take both", (0, 1, 1))] if state == (0, 0, 0) else []

    with pytest.raises(ValueError, match=r"^pair: a: take both: it changes what it does not ask for$"):
        explore(Meddling())


def test_facets_that_are_those_of_two_values_are_an_error() -> None:
    class Blurred(Pair):
        def facets(self, thread: int, own: Any) -> tuple[Hashable, ...]:
            return (own // 2,)

    with pytest.raises(ValueError, match=r"^pair: a: the facets \(0,\) are both of 0 and of 1$"):
        explore(Blurred())


def test_more_values_than_a_field_has_room_for_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_FULL", 3)
    with pytest.raises(ValueError, match=r"^pair: a, facet 0, has a value more than the 3 it has room for: 3$"):
        explore(Pair())


def test_a_truth_value_that_becomes_another_is_an_error() -> None:
    class Undecided(Pair):
        def facets(self, thread: int, own: Any) -> tuple[Hashable, ...]:
            return own > 1 if own < 3 else None, own

    with pytest.raises(ValueError, match=r"^pair: a, facet 0, has a value more than the 2 it has room for: None$"):
        explore(Undecided())
