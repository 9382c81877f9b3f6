"""What is no model is told so, with the member, the state and the line; never with a verdict."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from tests.explore.programs import Counters, Meeting, Op, State

from tenure.explore.explorer import explore
from tenure.explore.fitness import UnfitModel
from tenure.explore.sampling import sample
from tenure.explore.walks import Uniform

LATE = (9, 9, 9)  #: a state far from the start, which is not looked at before the search


class Odd(Counters):
    """Counters of which one member answers otherwise."""

    def __init__(self, member: str, answer: Callable[..., Any]) -> None:
        super().__init__(3, 9)
        self.name = "odd"
        setattr(self, member, answer)


def steps_but(state: State, found: Any) -> Callable[[State], Any]:
    plain = Counters(3, 9)
    return lambda asked: found if asked == state else plain.steps(asked)


def fails() -> Callable[[State], str | None]:
    def broken(state: State) -> str | None:
        return None if state != (1, 0, 0) else dict[str, str]()["nothing"]

    return broken


@pytest.mark.parametrize(
    ("member", "answer", "words"),
    [
        ("starts", list, "starts() returned no state; a model begins somewhere"),
        ("starts", lambda: [[0]], "[0] is no state: unhashable type: 'list'; a state is a tuple of numbers, say"),
        ("steps", lambda state: None, "steps((0, 0, 0)) returned None; expected a list"),
        (
            "steps",
            lambda state: [("p0", "go", state)],
            "steps((0, 0, 0)) returned ('p0', 'go', (0, 0, 0)); expected steps (thread, label, state), thread below 3",
        ),
        (
            "steps",
            lambda state: [(0, "go")],
            "steps((0, 0, 0)) returned (0, 'go'); expected steps (thread, label, state",
        ),
        ("steps", lambda state: [(3, "go", state)], "steps((0, 0, 0)) returned (3, 'go', (0, 0, 0)); expected steps"),
        ("broken", lambda state: False, "broken((0, 0, 0)) returned False; expected None, or what is wrong in words"),
        ("broken", fails(), "broken((1, 0, 0)) raised KeyError: 'nothing' ("),
        ("outcome", lambda state: None, "outcome((9, 9, 9)) returned None; expected what is seen, in words"),
        ("broken_at_end", lambda state: True, "broken_at_end((9, 9, 9)) returned True; expected None, or what"),
        ("steps", steps_but(LATE, [(0, "go", [1])]), "[1] is no state: unhashable type: 'list'"),
        ("steps", steps_but(LATE, 7), "steps((9, 9, 9)) returned 7; expected a list"),
    ],
)
def test_what_is_wrong_is_said_with_its_state(member: str, answer: Callable[..., Any], words: str) -> None:
    with pytest.raises(UnfitModel, match=f"^odd: {re.escape(words)}"):
        explore(Odd(member, answer), reduce=False, symmetry=False)


def test_a_model_that_answers_by_chance_is_found_out() -> None:
    turn = itertools.count()
    with pytest.raises(UnfitModel, match=re.escape("steps((0, 0, 0)) returned other steps when it was asked again")):
        explore(Odd("steps", lambda state: [(0, "go", (next(turn), 0, 0))]))


def test_walks_are_not_begun_on_what_is_no_model() -> None:
    with pytest.raises(UnfitModel, match="a model begins somewhere"):
        sample(Odd("starts", list), Uniform(Random(0)), Random(0), 10)


def test_a_walk_that_fails_says_in_which_state() -> None:
    with pytest.raises(UnfitModel, match=r"^odd: steps\(\(9, 9, 9\)\) returned 7; expected a list"):
        sample(Odd("steps", steps_but(LATE, 7)), Uniform(Random(0)), Random(0), 10)


def test_a_packed_model_is_blamed_in_its_own_states() -> None:
    class Failing(Meeting):
        def steps_of(self, thread: int, state: State) -> list[Any]:
            if state[:2] == (9, 9):
                raise LookupError("gone")
            return super().steps_of(thread, state)

    with pytest.raises(
        UnfitModel, match=r"^meeting: steps\(\(9, 9, 0, 0, 0, 0, 0\)\) raised LookupError: gone \(.*:\d+\)$"
    ):
        explore(Failing([[Op("add", 0, 0)] * 9, [Op("add", 0, 0)] * 9]))
