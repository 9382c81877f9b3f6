"""The cases of ``cases.txt``: each finding on its line, and nothing where there is nothing to find."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tenure.check.config import Config
from tenure.check.engine import check_source

CASES = re.split(r"^--- (.+)\n", (Path(__file__).parent / "cases.txt").read_text("utf-8"), flags=re.MULTILINE)[1:]
EXPECTED = re.compile(r"# error: ([\w-]+)")


@pytest.mark.parametrize(("title", "text"), list(zip(CASES[::2], CASES[1::2], strict=True)), ids=CASES[::2])
def test_a_case_is_found_on_its_line(title: str, text: str, tmp_path: Path) -> None:
    expected = [(n, r) for n, line in enumerate(text.splitlines(), 1) for r in EXPECTED.findall(line)]
    found = check_source(text, str(tmp_path / "case.py"), Config())
    assert [(finding.line, finding.rule) for finding in found] == expected
    assert ("(nothing to find)" in title) == (not expected)
