"""What real Go shows is read, compared, kept and told; no Go is needed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from tenure.golang.answer import answer
from tenure.golang.machine import Machine
from tenure.golang.oracle import Comparison, Record, applies, as_lines, compare, records_from, records_text
from tenure.golang.parser import parse
from tenure.golang.question import Ending
from tenure.golang.rules import RULES
from tenure.golang.syntax import Litmus
from tenure.golang.toolchain import Toolchain, read_ending

TEST = parse("""\
litmus two
"Two finalizers."
global g
heap { finalizer A; finalizer B; g = B }
threads main
  cycle
observe order g A
exists A@1
""")


def test_what_a_program_told_is_shown_as_the_model_shows_its_own_ends() -> None:
    told = "event A 1\nfreed A 2\nglobal g B\nend exit\nleak M\nevent late 9\n"
    ending = read_ending(told, "", 0)
    assert Machine(TEST, RULES["go1.27"]).shown(ending) == "A@1; g=B; A freed@2; leak M"


def test_a_program_that_died_shows_what_it_told_before() -> None:
    ending = read_ending("event A 1\nfreed A 2\n", "fatal error: runtime.SetFinalizer: finalizer already set\n", 2)
    assert Machine(TEST, RULES["go1.27"]).shown(ending) == "A@1; throw: finalizer already set"


def test_an_end_that_nobody_knows_is_shown_with_its_status_and_message() -> None:
    assert read_ending("", "signal: killed\nmore", 137).how == "ended with status 137: signal: killed"
    assert read_ending("", "", 1).how == "ended with status 1: no message"


def test_what_was_seen_and_is_not_allowed_is_a_disagreement() -> None:
    allowed = answer(TEST).allowed
    found = Comparison(TEST, Record("1.27.3", {"B@1": 2}), allowed, {"A@2": 1})
    assert found.disagreements == ["B@1"]
    assert found.never_seen == sorted(allowed)
    lines = as_lines(found)
    assert lines[0] == "Test two on go 1.27.3: DISAGREES"
    assert "        not allowed B@1" in lines
    assert "      1 only in haste, not with longer waits: A@2" in lines


def test_of_what_was_never_seen_only_the_first_are_listed() -> None:
    found = Comparison(TEST, Record("1.27.3", {}), frozenset(f"A@{number}" for number in range(50)))
    assert as_lines(found)[-1] == "        never seen  … and 10 more"
    assert len(as_lines(found)) == 42


class Slow:
    """A toolchain whose first runs are ``hasty`` and whose patient ones show ``real``."""

    version, rules = "1.27.3", "go1.27"

    def __init__(self, hasty: str, real: str) -> None:
        self._hasty, self._real = hasty, real

    def runs(self, tests: Sequence[Litmus], times: int, workers: int = 4, patience: int = 1) -> list[list[Ending]]:
        told = self._hasty if patience == 1 else self._real
        return [[read_ending(told, "", 0)] * times for _ in tests]


@pytest.mark.parametrize(
    ("hasty", "real", "disagreements", "only_in_haste"),
    [
        ("event A 2\nend exit\n", "event A 1\nglobal g B\nend exit\n", 0, 1),
        ("event A 2\nend exit\n", "event A 2\nend exit\n", 1, 0),
        ("event A 1\nglobal g B\nend exit\n", "event A 2\nend exit\n", 0, 0),
    ],
    ids=["the wait was too short", "it is seen again", "it is allowed"],
)
def test_what_is_not_allowed_is_looked_for_again(hasty: str, real: str, disagreements: int, only_in_haste: int) -> None:
    (found,) = compare([TEST], cast(Toolchain, Slow(hasty, real)), 2)
    assert (len(found.disagreements), len(found.hasty)) == (disagreements, only_in_haste)


def test_records_are_kept_one_a_line_and_read_again() -> None:
    records = [Record("1.21.13", {"A@1": 3}, "m", "001"), Record("1.27.3", {"A@1": 3}, "m")]
    text = records_text(reversed(records))
    assert text.count("\n") == 2
    assert records_from(text) == [records[1], records[0]]
    assert records[0].rules == "go1.21"


def test_a_test_with_cleanups_is_not_asked_before_go1_24() -> None:
    newer = parse('litmus c\n"C."\nheap { cleanup A c }\nfunc c() {}\nthreads main\n  cycle\nexists c')
    assert [name for name in RULES if applies(newer, name)] == ["go1.24", "go1.25", "go1.26", "go1.27", "described"]
