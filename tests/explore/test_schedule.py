"""A schedule is a value and a string, and the one gives the other back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.explore.schedule import Move, Schedule, UnreadableSchedule, checked_names

moves = st.builds(Move, st.from_regex(r"[A-Za-z0-9_]{1,4}", fullmatch=True), st.integers(0, 12))
schedules = st.builds(Schedule, st.lists(moves, max_size=8).map(tuple), st.integers(0, 3))


def test_it_reads_as_who_moves_after_whom() -> None:
    schedule = Schedule((Move("p0"), Move("gc"), Move("f", 2), Move("p1"), Move("p0")))
    assert str(schedule) == "p0-gc-f.2-p1-p0"


def test_another_start_stands_in_front() -> None:
    assert str(Schedule((Move("p0"),), start=2)) == "@2-p0"


def test_no_step_at_all_can_be_written() -> None:
    assert str(Schedule()) == "@0"


@settings(derandomize=True)
@given(schedules)
def test_what_was_written_reads_as_the_same_schedule(schedule: Schedule) -> None:
    assert Schedule.parse(str(schedule)) == schedule


@pytest.mark.parametrize("text", ["p0--p1", "p0-gc.", "p0-.1", "p 0", "", "p0-@1", "@x-p0"])
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(UnreadableSchedule):
        Schedule.parse(text)


def test_the_refusal_names_the_word_and_what_was_expected() -> None:
    with pytest.raises(UnreadableSchedule) as refused:
        Schedule.parse("@1-p0-g!c-p1")
    assert str(refused.value) == (
        "word 3 of the schedule is 'g!c'; expected a thread's name, or a name, a dot and a number, as in p0-gc.1-p0"
    )


def test_switches_are_counted_between_different_threads() -> None:
    assert Schedule.parse("p0-p0-gc-p0").switches == 2


def test_a_thread_must_have_a_name_that_a_schedule_can_hold() -> None:
    with pytest.raises(ValueError, match=r"thread 'p-0': a schedule is written with letters, digits and _ only"):
        checked_names(["p-0"])


def test_two_threads_need_two_names() -> None:
    with pytest.raises(ValueError, match=r"two threads have one name among p0, p0"):
        checked_names(["p0", "p0"])
