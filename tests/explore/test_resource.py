"""Our own table under every schedule: it holds for every cast, and no single change of it goes unnoticed."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from tenure.explore.bounds import Bounds
from tenure.explore.explorer import explore
from tenure.explore.model import Drawn, Symmetric
from tenure.explore.resource import Cast, Life, Resource
from tenure.explore.schedule import Schedule
from tenure.explore.search import Search
from tenure.explore.story import replay
from tenure.explore.verdict import Verdict
from tenure.lifecycle import TABLE, Arrow, Effect, Event, State

Table = Mapping[tuple[State, Event], Arrow]

#: Small casts in which, together, everything happens that the table provides for.
CASTS = [
    Cast(borrowers=2, closers=1),
    Cast(borrowers=1, closers=2),
    Cast(borrowers=2, closers=0, forgetters=1),
    Cast(borrowers=1, closers=0, detachers=1),
    Cast(borrowers=1, closers=0, forgetters=1, ghosts=True),
    Cast(borrowers=0, closers=0, forgetters=1, ghosts=True, fork=True),
    Cast(borrowers=2, closers=1, fork=True),
]

#: Arrows that no schedule follows, and why none can.
UNREACHABLE = {
    (State.OPEN, Event.BACK): "nobody has a lease while it is open, and a lease goes back once",
    (State.OPEN, Event.LAST_BACK): "nobody has a lease while it is open, and a lease goes back once",
    (State.ABANDONED, Event.BACK): "what is leased is not abandoned but closing, and abandoned it is not leased",
    (State.ABANDONED, Event.LAST_BACK): "what is leased is not abandoned but closing, and abandoned it is not leased",
}

#: Changes that nobody can notice, and why.
EQUIVALENT = {
    (State.LEASED, Event.ABANDON, Effect.ENQUEUE): (
        "reported by the safety net instead of at once; its close then meets CLOSING or CLOSED and does nothing"
    ),
}


def broken_in(table: Table) -> str | None:
    """What the first cast that notices says of ``table``."""
    for cast in CASTS:
        search = Search(Resource(cast, table=table), Bounds(states=50_000))
        search.run()
        assert search.unfinished is None
        if search.faults:
            return next(iter(search.faults))
    return None


def arrows_followed() -> set[tuple[State, Event]]:
    found = set()
    for cast in CASTS:
        model = Resource(cast)
        search = Search(model, Bounds())
        search.run()
        for life in search.seen:
            for _, label, _ in model.steps(life):
                if named := re.match(r"(?:child: )?(\w+): (\w+) →", label):
                    found.add((State[named[2]], Event[named[1].upper()]))
    return found


@pytest.mark.parametrize("borrowers", range(1, 6))
@pytest.mark.parametrize(
    ("owners", "seen"),
    [
        (Cast(closers=1), {"released"}),
        (Cast(closers=2), {"released"}),
        (Cast(closers=0, forgetters=1), {"released, reported"}),
        (Cast(closers=1, forgetters=1), {"released"}),
        (Cast(closers=0, detachers=1), {"released", "given away"}),
    ],
    ids=["one closes", "two close at once", "one forgets", "one closes, one forgets", "one detaches"],
)
def test_it_is_released_once_never_used_after_and_never_forgotten(borrowers: int, owners: Cast, seen: set[str]) -> None:
    cast = Cast(borrowers, owners.closers, owners.forgetters, owners.detachers)
    answer = explore(Resource(cast))
    assert answer.verdict is Verdict.HOLDS
    assert set(answer.outcomes) == seen


@pytest.mark.parametrize("cast", [cast for cast in CASTS if cast.fork or cast.ghosts])
def test_a_fork_and_whoever_brings_it_back_to_life_change_nothing(cast: Cast) -> None:
    assert explore(Resource(cast)).verdict is Verdict.HOLDS


def test_the_casts_follow_every_arrow_but_those_argued_away() -> None:
    assert arrows_followed() == set(TABLE) - set(UNREACHABLE)


@pytest.mark.parametrize(
    "at", [at for at in TABLE if at not in UNREACHABLE], ids=lambda at: f"{at[0].name}-{at[1].name}"
)
def test_every_change_of_an_arrow_is_found_broken(at: tuple[State, Event]) -> None:
    arrow = TABLE[at]
    changes = [arrow._replace(state=state) for state in State if state is not arrow.state]
    changes += [arrow._replace(effect=effect) for effect in Effect if effect is not arrow.effect]
    unnoticed = [change for change in changes if broken_in({**TABLE, at: change}) is None]
    assert [change for change in unnoticed if (*at, change.effect) not in EQUIVALENT] == []


@pytest.mark.parametrize(("state", "event", "effect"), EQUIVALENT)
def test_what_is_argued_to_be_equivalent_is_noticed_by_nobody(state: State, event: Event, effect: Effect) -> None:
    assert broken_in({**TABLE, (state, event): TABLE[state, event]._replace(effect=effect)}) is None


#: One guard of the table taken out, by name: who notices, what is said, and the shortest story that shows it.
GUARDS = {
    "a closed resource refuses leases": (
        (State.CLOSED, Event.LEASE, Arrow(State.CLOSED, Effect.NONE)),
        Cast(1, 1),
        "a lease was given out after the close",
        "o0-b0",
    ),
    "close waits for the leases": (
        (State.LEASED, Event.CLOSE, Arrow(State.CLOSED, Effect.RELEASE)),
        Cast(1, 1),
        "used after its release",
        "b0-o0-o0-b0",
    ),
    "the last lease back releases": (
        (State.CLOSING, Event.LAST_BACK, Arrow(State.CLOSED, Effect.NONE)),
        Cast(1, 1),
        "forgotten: it was never released",
        "b0-b0-o0-o0-b0-gc",
    ),
    "only the last lease back releases": (
        (State.CLOSING, Event.BACK, Arrow(State.CLOSED, Effect.RELEASE)),
        Cast(2, 1),
        "used after its release",
        "b0-b0-b1-o0-b0-b0-b1",
    ),
    "a second close does nothing": (
        (State.CLOSED, Event.CLOSE, Arrow(State.CLOSED, Effect.RELEASE)),
        Cast(0, 2),
        "released twice",
        "o0-o0-o1-o1",
    ),
    "what is abandoned goes to the safety net": (
        (State.OPEN, Event.ABANDON, Arrow(State.ABANDONED, Effect.NONE)),
        Cast(0, 0, 1),
        "forgotten: it was never released",
        "o0-gc",
    ),
    "the collector runs nobody's code": (
        (State.OPEN, Event.ABANDON, Arrow(State.CLOSED, Effect.RELEASE)),
        Cast(0, 0, 1),
        "the release function would be called inside the collector",
        "o0-gc",
    ),
    "an abandoned lease is reported": (
        (State.LEASED, Event.ABANDON, Arrow(State.CLOSING, Effect.NONE)),
        Cast(1, 0, 1),
        "forgotten without a report",
        "b0-b0-o0-gc-b0-b0",
    ),
    "whoever revives an abandoned handle cannot use it": (
        (State.ABANDONED, Event.LEASE, Arrow(State.ABANDONED, Effect.NONE)),
        Cast(0, 0, 1, ghosts=True),
        "a lease was given out after the close",
        "o0-gc-g_asks",
    ),
    "a child owns nothing": (
        (State.OPEN, Event.DISOWN, Arrow(State.OPEN, Effect.NONE)),
        Cast(0, 1, fork=True),
        "leased in a process that did not open it",
        "fork-fork-fork",
    ),
}


@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_there_is_a_story_that_breaks_it(guard: str) -> None:
    (state, event, arrow), cast, fault, schedule = GUARDS[guard]
    model = Resource(cast, table={**TABLE, (state, event): arrow})
    answer = explore(model)
    assert answer.verdict is Verdict.BROKEN
    assert answer.story is not None
    assert (answer.fault, str(answer.story.schedule)) == (fault, schedule)
    assert replay(model, Schedule.parse(schedule)).fault == fault


#: An event whose arrow reads the word in one step and writes it in another: who notices, and what happens.
SPLIT = {
    Event.LEASE: (Cast(1, 1), "used after its release", "b0-o0-o0-b0-b0"),
    Event.LAST_BACK: (Cast(1, 1), "forgotten: it was never released", "b0-b0-b0-o0-o0-gc-b0"),
    Event.CLOSE: (Cast(0, 2), "released twice", "o0-o1-o1-o1-o0-o0"),
    Event.ABANDON: (Cast(1, 0, 1), "forgotten: it was never released", "b0-b0-o0-gc-b0-gc"),
    Event.DISOWN: (Cast(1, 0, 0, 1), "used after it was given away", "o0-b0-o0-b0"),
}


@pytest.mark.parametrize("event", SPLIT)
def test_without_atomicity_there_is_a_story_that_breaks_it(event: Event) -> None:
    cast, fault, schedule = SPLIT[event]
    answer = explore(Resource(cast, split=frozenset({event})))
    assert answer.story is not None
    assert (answer.fault, str(answer.story.schedule)) == (fault, schedule)


def test_a_release_before_its_arrow_is_found() -> None:
    answer = explore(Resource(Cast(1, 1), early=True))
    assert answer.story is not None
    assert answer.fault == "used after its release"
    assert [moment.label for moment in answer.story.moments] == [
        "call the release function, too early",
        "lease: OPEN → LEASED",
        "use the token",
    ]


def test_two_who_close_early_release_twice() -> None:
    assert explore(Resource(Cast(0, 2), early=True)).fault == "released twice"


def test_borrowers_are_alike_whatever_their_names() -> None:
    model = Resource(Cast(3, 1))
    assert isinstance(model, Symmetric)
    whole, fewer = explore(model, symmetry=False), explore(model)
    assert set(whole.outcomes) == set(fewer.outcomes)
    assert fewer.effort.states < whole.effort.states / 2


def test_the_picture_shows_who_holds_what() -> None:
    model = Resource(Cast(1, 1))
    assert isinstance(model, Drawn)

    def arrows(text: str) -> set[tuple[str, str]]:
        life: Life = replay(model, Schedule.parse(text)).states[-1]
        return {(edge.source, edge.target) for edge in model.draw(life).edges}

    assert arrows("@0") == {("o0", "handle"), ("b0", "handle"), ("handle", "token")}
    assert arrows("b0") == {("o0", "handle"), ("b0", "token"), ("handle", "token")}
    assert arrows("o0-o0-o0-b0") == set()
