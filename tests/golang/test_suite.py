"""The shipped tests: each answers as expected, and everything that was seen of it on real Go is allowed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tenure.explore import Verdict
from tenure.golang.answer import answer
from tenure.golang.suite import Kept, expectation, rules_for, shipped, strays

KEPT = list(shipped())
FOLDER = KEPT[0].path.parent.parent


def named(kept: Kept) -> str:
    return kept.test.name


@pytest.mark.parametrize("kept", KEPT, ids=named)
def test_a_test_answers_as_expected_under_all_rules(kept: Kept) -> None:
    assert expectation(kept.test) == kept.expected


@pytest.mark.parametrize("kept", KEPT, ids=named)
def test_what_its_sentence_says_holds_under_every_version_it_is_for(kept: Kept) -> None:
    assert answer(kept.test, rules_for(kept.test), tells=False).verdict is Verdict.HOLDS


@pytest.mark.parametrize("kept", [kept for kept in KEPT if kept.seen], ids=named)
def test_everything_that_was_seen_on_real_go_is_allowed(kept: Kept) -> None:
    assert not strays(kept)


@pytest.mark.parametrize("kept", KEPT, ids=named)
def test_a_test_names_itself_its_authority_and_its_sentence(kept: Kept) -> None:
    assert kept.test.name == f"{kept.family}-{kept.path.stem}"
    assert kept.test.authority
    assert kept.test.sentence.endswith(".")


def test_there_are_at_least_eighty() -> None:
    assert len(KEPT) >= 80


def test_each_hand_written_program_has_a_twin_or_a_reason_why_not() -> None:
    twins = {record.program for kept in KEPT for record in kept.seen if record.program}
    reasons = tomllib.loads((FOLDER / "not-expressed.toml").read_text("utf-8"))["reasons"]
    assert not twins & set(reasons)
    assert len(twins | set(reasons)) == 104
    assert all(reasons.values())


def test_a_record_of_a_run_tells_version_and_machine() -> None:
    assert all(record.go and record.machine for kept in KEPT for record in kept.seen)


def test_what_was_seen_and_is_not_allowed_is_told(tmp_path: Path) -> None:
    kept = next(kept for kept in KEPT if kept.test.name == "order-chain")
    copy = Kept(tmp_path / "chain.litmus", kept.test)
    copy.path.with_suffix(".seen").write_text('{"go": "1.27.3", "machine": "m", "outcomes": {"B@1 A@2": 1}}\n')
    assert strays(copy) == ["seen on go 1.27.3, not allowed: B@1 A@2"]


def test_a_test_is_asked_under_the_newest_rules_it_is_for() -> None:
    asked = {kept.test.name: rules_for(kept.test) for kept in KEPT}
    assert asked["order-chain"] == "go1.27"
    assert asked["cleanup-argument-kept-before-go1-26"] == "go1.25"
    assert asked["described-no-order"] == "described"
