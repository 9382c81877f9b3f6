"""The table is complete, releases at most once, and says so when asked for an arrow it does not have."""

from __future__ import annotations

import itertools

import pytest

from tenure.lifecycle import TABLE, Effect, Event, State, follow


def test_every_state_has_an_arrow_for_every_event() -> None:
    assert set(TABLE) == set(itertools.product(State, Event))


def test_nothing_leaves_closed() -> None:
    assert {TABLE[State.CLOSED, event].state for event in Event} == {State.CLOSED}


def test_a_release_ends_in_closed_and_starts_elsewhere() -> None:
    releases = {(at, arrow.state) for (at, _), arrow in TABLE.items() if arrow.effect is Effect.RELEASE}
    assert releases == {(State.OPEN, State.CLOSED), (State.CLOSING, State.CLOSED), (State.ABANDONED, State.CLOSED)}


def test_a_refusal_stays_where_it_is() -> None:
    assert all(arrow.state is at for (at, _), arrow in TABLE.items() if arrow.effect is Effect.REFUSE)


def test_only_open_and_leased_admit_a_lease() -> None:
    admitted = {state for state in State if follow(state, Event.LEASE).effect is not Effect.REFUSE}
    assert admitted == {State.OPEN, State.LEASED}


def test_a_missing_arrow_names_state_and_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TABLE, (State.OPEN, Event.CLOSE))
    with pytest.raises(LookupError, match=r"no arrow for event <Event.CLOSE: 3> in state <State.OPEN: 0>"):
        follow(State.OPEN, Event.CLOSE)
