"""A finding keeps its fingerprint while it stays the same finding, and no longer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from tenure.check.finding import Finding
from tenure.check.fingerprint import fingerprints

ROOT = Path("/project")


def name(finding: Finding, *lines: str) -> str:
    return fingerprints([finding], lambda _: lines, ROOT)[finding]


def test_it_is_the_same_on_another_line_and_with_another_indent(leak: Finding) -> None:
    moved = dataclasses.replace(leak, line=1)
    assert name(leak, "", "", "  f = open(p)") == name(moved, "f = open(p)")


def test_it_is_another_when_the_line_says_something_else(leak: Finding) -> None:
    assert name(leak, "", "", "f = open(p)") != name(leak, "", "", "f = open(q)")


def test_it_is_another_for_another_rule(leak: Finding) -> None:
    assert name(leak) != name(dataclasses.replace(leak, rule="closed-twice"))


def test_two_alike_in_one_function_have_two(leak: Finding) -> None:
    twin = dataclasses.replace(leak, line=4)

    def lines(_: str) -> Sequence[str]:
        return ["", "", "f = open(p)", "f = open(p)"]

    assert len(set(fingerprints([leak, twin], lines, ROOT).values())) == 2
