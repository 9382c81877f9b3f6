"""A fix touches only the lines it is about, is tried before it is offered, and keeps encoding and line ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tenure.check.config import Config
from tenure.check.finding import Facts, Finding
from tenure.check.fix import rewrite

LEAK = "def read(p):\n    f = open(p)\n    return f.read()\n"
FIXED = "def read(p):\n    with open(p) as f:\n        return f.read()\n"


def leak_in(text: str) -> Finding:
    line = text[: text.index("open(p)")].count("\n") + 1
    facts = Facts("read", "f", "file", "{}.close()", True, (line, 4), (line, 15), (line, 8), (line, 15))
    return Finding("never-closed", "TEN101", "a.py", line, 9, line, "never closed", "certain", (), facts)


@pytest.fixture
def leak() -> Finding:
    return leak_in(LEAK)


@pytest.fixture
def checker(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes a checker that finds the leak wherever the words are."""

    def make(words: str) -> None:
        monkeypatch.setattr(rewrite, "check_source", lambda text, *_: (leak_in(text),) if words in text else ())

    return make


def test_a_fix_that_checks_no_cleaner_is_not_offered(checker: Callable[[str], None], leak: Finding) -> None:
    checker("open(p)")
    assert rewrite.offer(LEAK, leak, Config()) is None


def test_a_text_that_cannot_be_parsed_has_no_fix(checker: Callable[[str], None], leak: Finding) -> None:
    checker("    f = open(p)")
    assert rewrite.offer(LEAK + "def (:\n", leak, Config()) is None


def test_other_lines_stay_as_they_are_whatever_the_parser_gives_back(
    checker: Callable[[str], None], leak: Finding
) -> None:
    checker("    f = open(p)")
    odd = "\ntry :\n    x = 1\nexcept (OSError, ValueError) :\n    pass"
    assert rewrite.rewrite(LEAK + odd, "a.py", [leak], Config()).after == FIXED + odd


def test_a_file_keeps_its_line_ends_and_its_encoding(
    checker: Callable[[str], None], leak: Finding, tmp_path: Path
) -> None:
    checker("    f = open(p)")
    file = tmp_path / "a.py"
    head, tail = "# coding: latin-1\n", "é = 1\n"
    file.write_bytes((head + LEAK + tail).replace("\n", "\r\n").encode("latin-1"))
    rewrite.rewrite_file(str(file), [leak], Config()).write()
    assert file.read_bytes() == (head + FIXED + tail).replace("\n", "\r\n").encode("latin-1")


def test_a_file_with_a_byte_order_mark_keeps_it(checker: Callable[[str], None], leak: Finding, tmp_path: Path) -> None:
    checker("    f = open(p)")
    file = tmp_path / "a.py"
    file.write_bytes(b"\xef\xbb\xbf" + LEAK.encode())
    rewrite.rewrite_file(str(file), [leak], Config()).write()
    assert file.read_bytes() == b"\xef\xbb\xbf" + FIXED.encode()


def test_a_file_that_cannot_be_read_leaves_its_findings_to_a_person(leak: Finding, tmp_path: Path) -> None:
    done = rewrite.rewrite_file(str(tmp_path / "gone.py"), [leak], Config())
    assert (done.fixed, done.left) == (0, (leak,))
    done.write()
    assert not (tmp_path / "gone.py").exists()
