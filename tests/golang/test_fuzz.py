"""Random tests are the same everywhere, make sense, differ, and shrink to what matters."""

from __future__ import annotations

from collections.abc import Sequence

from tenure.golang.answer import answer
from tenure.golang.fuzz import random_test
from tenure.golang.parser import parse
from tenure.golang.printer import text_of
from tenure.golang.shrink import shrunk, smaller
from tenure.golang.syntax import Litmus, walk
from tenure.golang.writer import needs_cleanups


def test_a_seed_always_makes_the_same_test() -> None:
    assert random_test(7, True) == random_test(7, True)


def test_random_tests_are_answered_completely() -> None:
    for seed in range(40):
        for newer in (False, True):
            found = answer(random_test(seed, newer), "go1.27" if newer else "go1.21", tells=False)
            assert not found.why_unfinished
            assert found.outcomes


def test_before_go1_24_there_are_no_cleanups_in_them() -> None:
    assert not any(needs_cleanups(random_test(seed, False)) for seed in range(50))
    assert any(needs_cleanups(random_test(seed, True)) for seed in range(50))


def test_they_use_all_that_finalizers_may_do() -> None:
    verbs = {step.verb for seed in range(150) for step in random_test(seed, True).statements()}
    assert {"finalizer", "cleanup", "weak", "strong", "stop", "wait", "goexit", "if", "new"} - verbs == {"new"}
    bodies = [step for seed in range(150) for f in random_test(seed, True).functions for step in walk(f.body)]
    assert any(step.verb == "finalizer" and step.function is None for step in bodies)


def test_a_random_test_written_back_reads_as_the_same() -> None:
    for seed in range(30):
        test = random_test(seed, True)
        assert parse(text_of(test)) == test


def test_shrinking_leaves_only_what_the_disagreement_needs() -> None:
    def has_cancel(tests: Sequence[Litmus]) -> list[bool]:
        return [any(s.verb == "finalizer" and s.function is None for s in test.statements()) for test in tests]

    seed = next(seed for seed in range(200) if has_cancel([random_test(seed, True)])[0])
    least = shrunk(random_test(seed, True), has_cancel)
    assert has_cancel([least]) == [True]
    assert not any(has_cancel(list(smaller(least))))
    assert len(list(least.statements())) <= 2


def test_what_shrinks_to_nothing_that_disagrees_stays_as_it_is() -> None:
    test = random_test(3, True)
    assert shrunk(test, lambda tests: [False] * len(tests)) is test
