"""The pages about finalizers say what the tests show: the claims' versions, the remedies' table, the five states."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tenure.explore import Verdict
from tenure.golang.answer import answer
from tenure.golang.fate import as_svg, as_text, changes
from tenure.golang.oracle import applies
from tenure.golang.rules import DEFAULT, RULES
from tenure.golang.suite import Kept, shipped
from tenure.golang.syntax import BLOCKS, ENDS, MAKERS, VERBS

DOCS = Path(__file__).parent.parent.parent / "docs"
EXPLAINED = (DOCS / "explain" / "finalizers-in-go.md").read_text("utf-8")
LANGUAGE = (DOCS / "reference" / "litmus-language.md").read_text("utf-8")
BY_NAME = {kept.test.name: kept for kept in shipped()}
CLAIMS = re.findall(r"^\| .* \| `([a-z0-9-]+)` \| (go1\.\d+) to (go1\.\d+) \|$", EXPLAINED, re.MULTILINE)

#: What can happen under a remedy, and how the outcomes that show it begin.
FATES = {"use after free": "crash: use", "double free": "crash: double", "panic": "panic", "leak": "leak"}


def versions(kept: Kept) -> list[str]:
    asked = [rules for rules in RULES if rules != "described" and applies(kept.test, rules)]
    return [rules for rules in asked if answer(kept.test, rules, tells=False).verdict is Verdict.HOLDS]


@pytest.mark.parametrize(("name", "first", "last"), CLAIMS)
def test_a_claim_holds_in_the_versions_that_its_row_names(name: str, first: str, last: str) -> None:
    found = versions(BY_NAME[name])
    assert (found[0], found[-1]) == (first, last)


def test_there_are_claims() -> None:
    assert len(CLAIMS) > 20


def test_the_five_states_are_those_of_a_real_run() -> None:
    kept = BY_NAME["resurrection-five-states"]
    (outcome,) = answer(kept.test, tells=False).allowed
    found = answer(kept.test, witness=outcome)
    assert found.story is not None
    told = changes(found.machine, found.story, "A")
    assert (DOCS / "explain" / "five-states.svg").read_text("utf-8") == as_svg(told, "A") + "\n"
    assert "](five-states.svg)" in EXPLAINED
    assert as_text(told) in EXPLAINED


#: The five remedies that were weighed, each with the tests that show it.
REMEDIES = {
    "a finalizer only": ["finalizer-only"],
    "Close, and a finalizer as a safety net": [
        "close-and-finalizer-naive",
        "close-and-finalizer-once",
        "close-and-finalizer-once-forgotten",
        "close-and-leak-detector-forgotten",
    ],
    "a registry keyed by address": ["registry", "registry-with-keepalive", "registry-address-given-out-again"],
    "refuse to free what is cached": ["refuse-if-cached"],
    "Close by `defer`, and KeepAlive": [
        "close-by-defer-and-keepalive",
        "close-by-defer-forgotten",
        "close-before-the-handler-is-done",
    ],
}


def test_the_incident_was_seen_as_often_as_the_page_says() -> None:
    records = [record for record in BY_NAME["incident-ring-buffer"].seen if not record.program]
    crashes = [record.outcomes.get("crash: use after free of KEY", 0) for record in records]
    runs = sum(sum(record.outcomes.values()) for record in records)
    assert f"{sum(crashes)} of the {runs} recorded runs end so, on each of the seven versions" in EXPLAINED
    assert len(crashes) == 7
    assert all(crashes)


def remedies_table() -> str:
    """A row for each test of a remedy: which fates some schedule leads to."""
    lines = [f"| remedy | shown by | {' | '.join(FATES)} | safe |", f"|---|---|{'---|' * len(FATES)}---|"]
    for remedy, tests in REMEDIES.items():
        for name in tests:
            allowed = answer(BY_NAME[f"remedies-{name}"].test, DEFAULT, tells=False).allowed
            happens = [any(outcome.startswith(begin) for outcome in allowed) for begin in FATES.values()]
            cells = ["yes" if yes else "no" for yes in (*happens, not any(happens))]
            lines.append(f"| {remedy if name == tests[0] else ''} | `remedies-{name}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def test_every_test_of_the_family_is_in_the_table() -> None:
    shown = {f"remedies-{name}" for tests in REMEDIES.values() for name in tests}
    assert shown == {name for name, kept in BY_NAME.items() if kept.family == "remedies"}


def test_the_table_of_remedies_is_what_the_tests_produce() -> None:
    assert remedies_table() in EXPLAINED


@pytest.mark.parametrize("word", [*VERBS, *MAKERS, *BLOCKS])
def test_the_page_of_the_language_shows_every_step(word: str) -> None:
    assert re.search(rf"^\| .*`[^`|]*\b{word}\b[^|]*\|", LANGUAGE, re.MULTILINE)


@pytest.mark.parametrize("word", ENDS)
def test_the_page_of_the_language_names_every_end(word: str) -> None:
    assert f'"{word}"' in LANGUAGE
