"""Random tests are the same everywhere, make sense, differ, and shrink to what matters."""

from __future__ import annotations

from collections import Counter
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


def kinds(test: Litmus) -> set[str]:
    """What there is in a random test, in words."""
    steps = list(test.statements())
    bodies = {step.verb for function in test.functions for step in walk(function.body)}
    armed = [step.function for step in test.heap if step.verb == "finalizer" and step.function]
    objects = {step.name for step in test.heap if step.verb == "object"}
    edges = [(s.target.name, s.locations[0].name) for s in test.heap if s.target and s.target.name in objects]
    return {
        *(step.verb for step in steps),
        *(f"{verb} in a function" for verb in bodies),
        *(["cancel"] if any(s.verb == "finalizer" and s.function is None for s in steps) else []),
        *(["self-pointer"] if any(source == target for source, target in edges) else []),
        *(["graph"] if any(source != target for source, target in edges) else []),
        *(["capture"] if any(reference.captures for reference in armed) else []),
        *(["two captures"] if any(len(reference.captures) > 1 for reference in armed) else []),
        *(["two threads"] if len(test.threads) > 1 else []),
        *(["eight processors"] if test.procs == 8 else []),
    }


#: In how many of a hundred random programs at least; of those for Go with cleanups.
OFTEN = {
    "finalizer": 85, "graph": 60, "self-pointer": 30, "capture": 15, "two captures": 5, "cleanup": 70, "weak": 50,
    "strong": 35, "stop": 10, "static": 5, "new": 10, "pool": 10, "pin": 8, "two threads": 5, "eight processors": 5,
    "cancel": 30, "finalizer in a function": 30, "copy in a function": 30, "nil in a function": 25,
    "wait in a function": 15, "goexit in a function": 2, "panic in a function": 10, "recover in a function": 8,
    "gc in a function": 5, "cleanup in a function": 5, "weak in a function": 5, "strong in a function": 8,
}  # fmt: skip


def test_they_have_all_that_finalizers_meet_and_may_do() -> None:
    found = Counter(kind for seed in range(300) for kind in kinds(random_test(seed, True)))
    assert not {kind: found[kind] for kind, least in OFTEN.items() if found[kind] < 3 * least}


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
