"""A search through the machine's states in parts is the same search, for every test of the suite and any other."""

from __future__ import annotations

import pytest
from tests.explore.alike import search_alike

from tenure.golang.fuzz import random_test
from tenure.golang.machine import Machine
from tenure.golang.oracle import applies
from tenure.golang.rules import RULES
from tenure.golang.suite import shipped


@pytest.mark.parametrize("rules", RULES)
def test_the_suite_is_searched_the_same_way(rules: str) -> None:
    for kept in shipped():
        if applies(kept.test, rules):
            search_alike(Machine(kept.test, RULES[rules]))


@pytest.mark.parametrize("rules", ["go1.23", "go1.27", "described"])
def test_random_programs_are_searched_the_same_way(rules: str) -> None:
    for seed in range(60):
        search_alike(Machine(random_test(seed, RULES[rules].cleanups), RULES[rules], tells=False))
