"""A campaign of random programs finds a wrong rule and a wrong collector, and makes what it found small.

No Go is needed here: the right model plays it, which agreed with real Go on every program of the recorded campaigns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, cast

import pytest
from tests.golang.mutants import WRONG_COLLECTORS, WRONG_RULES

from tenure.explore import explore
from tenure.golang.campaign import campaign
from tenure.golang.collector import Collector
from tenure.golang.fuzz import random_test
from tenure.golang.machine import Machine
from tenure.golang.oracle import compare
from tenure.golang.question import Ending
from tenure.golang.rules import RULES, Rules
from tenure.golang.syntax import Litmus
from tenure.golang.toolchain import Toolchain

#: How many programs are enough to find every one of them.
MANY = 100


class Played:
    """Stands in for a Go toolchain: shows all that the rules allow which it was made with."""

    def __init__(self, rules: Rules) -> None:
        self._rules, self.rules, self.version = rules, rules.name, rules.name.removeprefix("go")

    def runs(self, tests: Sequence[Litmus], times: int, workers: int = 4, patience: int = 1) -> list[list[Ending]]:
        return [self.ends(test) for test in tests]

    def ends(self, test: Litmus) -> list[Ending]:
        machine = Machine(test, self._rules, tells=False)
        outcomes = explore(machine, stop_at_fault=False).outcomes.values()
        return [machine.ending(outcome.witness.states[-1]) for outcome in outcomes]


class Remembered(Played):
    """What the right model shows of the random programs, worked out before the model is made wrong."""

    def ends(self, test: Litmus) -> list[Ending]:
        return right(self.rules)[test.name]


@cache
def programs(version: str) -> list[Litmus]:
    return [random_test(seed, RULES[version].cleanups) for seed in range(MANY)]


@cache
def right(version: str) -> dict[str, list[Ending]]:
    return {test.name: Played(RULES[version]).ends(test) for test in programs(version)}


def found(version: str) -> bool:
    """Whether one of the random programs shows that the model is wrong; a few at once, until one does."""
    go = cast(Toolchain, Remembered(RULES[version]))
    few = (programs(version)[at : at + 10] for at in range(0, MANY, 10))
    return any(one.disagreements for tests in few for one in compare(tests, go, 1, confirm=False))


@pytest.mark.parametrize(("version", "wrong"), WRONG_RULES)
def test_a_wrong_rule_is_found(version: str, wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    right(version)
    monkeypatch.setitem(RULES, version, replace(RULES[version], **wrong))
    assert found(version)


@pytest.mark.parametrize(("method", "wrong"), WRONG_COLLECTORS)
def test_a_wrong_collector_is_found(method: str, wrong: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    right("go1.27")
    monkeypatch.setattr(Collector, method, wrong)
    assert found("go1.27")


def test_the_right_rules_are_not_contradicted() -> None:
    report = campaign(cast(Toolchain, Played(RULES["go1.24"])), 40, 0, 1)
    assert (report.programs, report.disagreements) == (40, [])


def test_what_a_wrong_rule_is_found_by_is_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    go = cast(Toolchain, Played(RULES["go1.27"]))
    monkeypatch.setitem(RULES, "go1.27", replace(RULES["go1.27"], parents_first=False))
    heard: list[int] = []
    report = campaign(go, 1, 18, 1, lambda so_far: heard.append(so_far.programs))
    assert heard == [1]
    least = report.disagreements[0].test
    assert len(list(least.statements())) <= 5
    assert any("DISAGREES" in line for line in report.lines())
