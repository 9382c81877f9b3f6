"""The pure implementation's protocol has no race although nothing in it is atomic; without any of its rules it has."""

from __future__ import annotations

import pytest

from tenure.explore.boxed import RULES, Boxed, Desk
from tenure.explore.explorer import explore
from tenure.explore.model import Drawn
from tenure.explore.schedule import Schedule
from tenure.explore.story import replay
from tenure.explore.verdict import Verdict


@pytest.mark.parametrize(
    ("borrowers", "closers", "detachers"),
    [(1, 1, 0), (2, 1, 0), (1, 2, 0), (0, 3, 0), (0, 1, 1), (0, 0, 2), (1, 1, 1), (1, 0, 2)],
)
def test_it_is_released_or_given_away_once_and_never_used_after(borrowers: int, closers: int, detachers: int) -> None:
    answer = explore(Boxed(borrowers, closers, detachers))
    assert answer.verdict is Verdict.HOLDS
    assert set(answer.outcomes) == ({"released"} if closers or borrowers else set()) | (
        {"given away"} if detachers else set()
    )


#: Each rule, who notices that it is gone, what happens then, and the shortest story that shows it.
GONE = {
    "a lease is put before the state is read": (
        (1, 1, 0),
        "used after its release",
        "b0-o0-o0-o0-b0-b0-o0-o0-o0-b0",
    ),
    "a close writes the state before it counts": (
        (1, 1, 0),
        "forgotten: it was never released",
        "b0-b0-b0-b0-o0-b0-b0-o0",
    ),
    "a lease that goes back looks whether it was the last": (
        (1, 1, 0),
        "forgotten: it was never released",
        "b0-o0-o0-o0-b0-b0",
    ),
    "the token is taken out before it is released": ((0, 2, 0), "released twice", "o0-o0-o0-o0-o0-o1-o1-o1-o1"),
    "a close ends with the state": (
        (0, 1, 0),
        "everybody is done, and it does not stand as closed",
        "o0-o0-o0-o0-o0-o0-o0",
    ),
    "a detach takes the token before it counts": ((1, 0, 1), "used after it was given away", "d0-b0-b0-b0-d0-b0"),
    "a lease looks into the box": ((1, 0, 1), "a lease was given out and there is no token", "d0-b0-b0-b0"),
}


def test_every_rule_is_taken_away_once() -> None:
    assert set(GONE) == set(RULES)


@pytest.mark.parametrize("rule", GONE)
def test_without_a_rule_there_is_a_story_that_breaks_it(rule: str) -> None:
    cast, fault, schedule = GONE[rule]
    model = Boxed(*cast, without=rule)
    answer = explore(model)
    assert answer.story is not None
    assert (answer.fault, str(answer.story.schedule)) == (fault, schedule)
    assert replay(model, Schedule.parse(schedule)).fault == fault


def test_a_rule_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no rule 'locks'; the rules are a lease is put before the state is read, "):
        Boxed(without="locks")


def test_the_picture_shows_the_table_and_the_box() -> None:
    model = Boxed(1, 1)
    assert isinstance(model, Drawn)

    def arrows(text: str) -> set[tuple[str, str]]:
        desk: Desk = replay(model, Schedule.parse(text)).states[-1]
        return {(edge.source, edge.target) for edge in model.draw(desk).edges}

    assert arrows("@0") == {("box", "token")}
    assert arrows("b0") == {("box", "token"), ("table", "b0")}
    assert arrows("o0-o0-o0-o0-o0") == set()
