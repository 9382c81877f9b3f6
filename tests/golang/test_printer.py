"""What is written back reads as the same test."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

from tenure.golang.parser import parse
from tenure.golang.printer import text_of

SUITE = files("tenure.golang") / "suite"
TESTS = [
    test for family in SUITE.iterdir() if family.is_dir() for test in family.iterdir() if test.name.endswith("mus")
]


@pytest.mark.parametrize("test", TESTS, ids=lambda test: test.name)
def test_a_test_written_back_reads_as_the_same(test: Traversable) -> None:
    read = parse(test.read_text("utf-8"))
    assert parse(text_of(read)) == read
