"""Each rule is needed: a model with one of them wrong is contradicted by what was seen on real Go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from tests.golang.mutants import WRONG_COLLECTORS, WRONG_RULES

from tenure.explore import explore
from tenure.golang.collector import Collector
from tenure.golang.machine import Machine
from tenure.golang.rules import RULES, Rules, between
from tenure.golang.suite import shipped

KEPT = [kept for kept in shipped() if kept.seen]


def contradictions(rules: Rules) -> Iterator[str]:
    """What was seen on the version of ``rules`` and is not allowed by them."""
    for kept in KEPT:
        seen = {outcome for record in kept.seen if record.rules == rules.name for outcome in record.outcomes}
        if seen:
            allowed = set(explore(Machine(kept.test, rules, tells=False), stop_at_fault=False).outcomes)
            yield from (f"{kept.test.name}: {outcome}" for outcome in sorted(seen - allowed))


@pytest.mark.parametrize(("version", "wrong"), WRONG_RULES)
def test_a_wrong_rule_is_contradicted_by_real_runs(version: str, wrong: dict[str, Any]) -> None:
    assert next(contradictions(replace(RULES[version], **wrong)), None)


@pytest.mark.parametrize(("method", "wrong"), WRONG_COLLECTORS)
def test_a_wrong_collector_is_contradicted_by_real_runs(
    method: str, wrong: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Collector, method, wrong)
    assert next(contradictions(RULES["go1.27"]), None)


def test_the_right_rules_are_not_contradicted() -> None:
    assert not list(contradictions(RULES["go1.26"]))


def test_the_versions_differ_in_just_what_the_table_says() -> None:
    def differences(one: str, other: str) -> set[str]:
        pairs = ((f.name, getattr(RULES[one], f.name), getattr(RULES[other], f.name)) for f in fields(Rules))
        return {name for name, a, b in pairs if a != b} - {"name"}

    assert differences("go1.21", "go1.22") == {"pin_of_nil_panics"}
    assert differences("go1.22", "go1.23") == set()
    assert differences("go1.23", "go1.24") == {"cleanups", "weak_static_throws"}
    assert differences("go1.24", "go1.25") == {"own_cleanup_goroutines", "weak_static_throws"}
    assert differences("go1.25", "go1.26") == {"cleanup_checks_captures", "running_cleanup_keeps"}
    assert differences("go1.26", "go1.27") == set()


def test_a_range_of_versions_is_what_lies_between() -> None:
    assert between("go1.24", "go1.25") == ("go1.24", "go1.25")
    assert between("", "go1.22") == ("go1.21", "go1.22")
    assert between("", "", needs_cleanups=True) == ("go1.24", "go1.25", "go1.26", "go1.27")
