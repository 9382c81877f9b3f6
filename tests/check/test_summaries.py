"""What functions do, told of some that call each other."""

from __future__ import annotations

from pathlib import Path

from tenure.check.checker import Checker
from tenure.check.config import Config

MUTUAL = """
def first(path, n):
    if n:
        return second(path, n - 1)
    return open(path)


def second(path, n):
    return first(path, n)
"""


def test_what_was_settled_before_an_answer_was_there_is_settled_anew(tmp_path: Path) -> None:
    checker = Checker(Config())
    module = checker.load(MUTUAL, tmp_path / "mutual.py")
    for name in ("first", "second"):
        summary = checker.summaries.of(module.functions[name], needed=True)
        assert summary is not None
        assert summary.opens, name
