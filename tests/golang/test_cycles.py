"""A cycle never frees what is still held, and remembering cycles changes no answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tenure.explore import explore
from tenure.golang import cycles
from tenure.golang.actor import State
from tenure.golang.fuzz import random_test
from tenure.golang.layout import FREED
from tenure.golang.machine import Machine
from tenure.golang.rules import RULES

GO = [name for name in RULES if name != "described"]


def visited(machine: Machine) -> Iterator[State]:
    todo = list(machine.starts())
    seen = set(todo)
    while todo:
        state = todo.pop()
        yield state
        new = {after for _, _, after in machine.steps(state)} - seen
        seen |= new
        todo += new


def dangling(machine: Machine, state: State) -> list[str]:
    """The objects that are freed, and that a global or a variable which is mentioned later still holds."""
    reachable = machine.cast.cycles.reachable(state)
    first = machine.layout.object - 1
    count = machine.layout.count
    return [machine.layout.show(n) for n in range(1, count + 1) if reachable >> n & 1 and state[first + n] == FREED]


@pytest.mark.parametrize("rules", GO)
def test_under_gos_rules_nothing_that_is_held_is_ever_freed(rules: str) -> None:
    for seed in range(25):
        machine = Machine(random_test(seed, RULES[rules].cleanups), RULES[rules], tells=False)
        assert not [names for state in visited(machine) if (names := dangling(machine, state))]


def outcomes(seed: int) -> dict[str, Any]:
    found = explore(Machine(random_test(seed, True), RULES["go1.27"], tells=False), stop_at_fault=False)
    return {outcome: seen.count for outcome, seen in found.outcomes.items()}


def test_a_cycle_that_is_not_remembered_does_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered = [outcomes(seed) for seed in range(40)]
    monkeypatch.setattr(cycles, "_MOST", 0)
    assert [outcomes(seed) for seed in range(40)] == remembered


def test_a_variable_that_may_still_hold_is_a_choice_of_the_cycle() -> None:
    from tenure.golang.parser import parse

    test = parse(
        'litmus held\n"Held."\nheap { main.p = A; other.q = A }\n'
        "threads main | other\n keepalive p; gc | keepalive q; wait go; raise go\nobserve A\nexists freed A"
    )
    machine = Machine(test, RULES["go1.27"], tells=False)
    labels = {label for state in visited(machine) for _, label, _ in machine.steps(state) if "gc" in label}
    assert labels == {"gc", "gc, other.q still held"}
