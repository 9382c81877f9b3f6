"""The answer as a person reads it, without colour and with."""

from __future__ import annotations

import random

from tests.explore.programs import Counters, LostUpdate, Op, Program, State

from tenure.explore.bounds import Bounds
from tenure.explore.explorer import explore
from tenure.explore.model import Step
from tenure.explore.report.text import as_text, story_as_text
from tenure.explore.sampling import sample
from tenure.explore.schedule import Schedule
from tenure.explore.story import replay
from tenure.explore.walks import Uniform


def without_time(text: str) -> str:
    """The last line tells the seconds it took."""
    return text.rpartition("\n")[0]


def test_a_broken_model_shows_the_story_in_lanes_and_how_to_see_it_again() -> None:
    model = LostUpdate(2)
    shown = as_text(explore(model), model.threads, "tenure explore lost.py:Lost")
    assert without_time(shown) == "\n".join(
        [
            "lost update: BROKEN: an addition was lost",
            "",
            "  step  p0       p1",
            "     1  read 0",
            "     2           read 0",
            "     3           write 1",
            "     4  write 1",
            "      => an addition was lost",
            "",
            "  schedule: p0-p1-p1-p0",
            "  see it again: tenure explore lost.py:Lost --replay p0-p1-p1-p0",
            "",
            "seen at the end (states, what, a schedule)",
            "        1  number=1  p1-p0-p0-p1",
            "        1  number=2  p0-p0-p1-p1",
            "",
        ]
    )


def test_what_holds_shows_what_can_be_seen_and_what_it_took() -> None:
    shown = as_text(explore(Counters(2, 1)), ("p0", "p1"))
    assert shown.startswith("counters: HOLDS\n")
    assert "1  all at the top  p0-p1" in shown
    assert "(every schedule, reduced, symmetric)" in shown


def test_what_is_unfinished_says_which_bound_and_that_it_proves_nothing() -> None:
    shown = as_text(explore(Counters(3, 9), Bounds(states=50), reduce=False), ("p0", "p1", "p2"))
    assert shown.startswith(
        "counters: UNFINISHED: the bound of 50 states; nothing broken was found up to there, which proves nothing"
    )


def test_samples_are_counted_in_walks() -> None:
    chance = random.Random(1)
    shown = as_text(sample(Counters(2, 2), Uniform(chance), chance, 5), ("p0", "p1"))
    assert "seen at the end (walks, what, a schedule)\n        5  all at the top" in shown
    assert "(5 random schedules)" in shown


def test_the_other_faults_are_told_with_their_schedules() -> None:
    model = Program([[Op("either", 0, 1), Op("claim", 0, 1)], [Op("wait", 1, 1)]])
    shown = as_text(explore(model, stop_at_fault=False), model.threads)
    assert "also broken\n  somebody waits for ever: p0.1-p0" in shown


def test_colour_marks_the_verdict_and_nothing_else_changes() -> None:
    model = LostUpdate(2)
    answer = explore(model)
    plain, painted = as_text(answer, model.threads), as_text(answer, model.threads, colour=True)
    assert "\x1b[1;31mBROKEN\x1b[0m" in painted
    assert painted.replace("\x1b[1;31m", "").replace("\x1b[0m", "") == plain
    assert "\x1b" not in plain


def test_where_lanes_do_not_fit_each_step_names_its_thread() -> None:
    model = LostUpdate(12)
    story = replay(model, Schedule.parse("-".join(f"p{n}-p{n}" for n in range(12))))
    lines = story_as_text(story, model.threads).splitlines()
    assert lines[0] == "     1  p0   read 0"
    assert lines[23] == "    24  p11  write 12"
    assert lines[24] == "      => number=12"


def test_a_story_that_can_go_on_says_so() -> None:
    shown = story_as_text(replay(LostUpdate(2), Schedule.parse("p0")), ("p0", "p1"))
    assert "=> it can go on from here" in shown


def test_a_story_without_a_step_can_be_shown() -> None:
    model = Program([[Op("wait", 0, 1)]])
    assert "=> somebody waits for ever\n\n  schedule: @0" in as_text(explore(model), model.threads)


def test_that_no_schedule_ends_is_said() -> None:
    class Endless(Counters):
        def steps(self, state: State) -> list[Step[State]]:
            return [(0, "turn", tuple(1 - value for value in state))]

    assert "no schedule comes to an end" in as_text(explore(Endless(2, 1), reduce=False), ("p0", "p1"))
