"""Lines are counted as Python counts them, whatever stands in the file."""

from __future__ import annotations

from pathlib import Path

from tenure.check.lines import read_lines, relative, split


def test_only_newlines_and_carriage_returns_end_a_line() -> None:
    assert split("a\nb\r\nc\rd\x0ce\u2028f") == ["a\n", "b\r\n", "c\r", "d\x0ce\u2028f"]


def test_no_text_has_no_lines() -> None:
    assert split("") == []


def test_a_file_that_cannot_be_decoded_still_has_lines(tmp_path: Path) -> None:
    file = tmp_path / "odd.py"
    file.write_bytes(b"a = '\xff'\nb\n")
    assert read_lines(str(file)) == ["a = '\N{REPLACEMENT CHARACTER}'", "b"]


def test_a_file_that_is_gone_has_none(tmp_path: Path) -> None:
    assert read_lines(str(tmp_path / "gone.py")) == ()


def test_a_path_is_shown_from_the_root_where_it_lies_below_it() -> None:
    assert relative("/project/src/a.py", Path("/project")) == "src/a.py"
    assert relative("src/a.py", Path("/project")) == "src/a.py"
    assert relative("/elsewhere/a.py", Path("/project")) == "/elsewhere/a.py"
