"""A baseline knows what was there, forgets what it is told to, and says what it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenure.check.baseline import Baseline, BaselineError, covers
from tenure.check.finding import Finding


def everything(_: str) -> bool:
    return True


def test_what_is_written_is_read_again(tmp_path: Path, leak: Finding) -> None:
    written = Baseline.of({leak: "f1"}, tmp_path)
    written.write(tmp_path / "known.json")
    assert Baseline.read(tmp_path / "known.json") == written


def test_the_file_says_in_words_what_it_knows(tmp_path: Path, leak: Finding) -> None:
    Baseline.of({leak: "f1"}, tmp_path).write(tmp_path / "known.json")
    assert json.loads((tmp_path / "known.json").read_text("utf-8")) == {
        "version": 1,
        "findings": [{"path": "ingest.py", "rule": "never-closed", "function": "first_line", "fingerprint": "f1"}],
    }


def test_only_what_it_does_not_know_is_new(tmp_path: Path, leak: Finding) -> None:
    known = Baseline.of({leak: "f1"}, tmp_path)
    assert known.new({leak: "f1"}) == ()
    assert known.new({leak: "f2"}) == (leak,)


def test_what_cannot_be_found_any_more_is_counted(tmp_path: Path, leak: Finding) -> None:
    known = Baseline.of({leak: "f1"}, tmp_path)
    assert known.gone({}, everything) == 1
    assert known.gone({leak: "f1"}, everything) == 0


def test_a_file_that_was_not_checked_is_not_gone(tmp_path: Path, leak: Finding) -> None:
    known = Baseline.of({leak: "f1"}, tmp_path)
    assert known.gone({}, covers([tmp_path / "other.py"], tmp_path)) == 0


def test_writing_for_one_folder_keeps_what_is_known_of_others() -> None:
    old = Baseline({"f1": ("a/x.py", "never-closed", ""), "f2": ("b/y.py", "never-closed", "")})
    new = Baseline({"f3": ("a/x.py", "closed-twice", "")})
    assert set(new.keeping(old, lambda path: path.startswith("a/")).known) == {"f2", "f3"}


def test_a_folder_covers_what_lies_below_it(tmp_path: Path) -> None:
    covered = covers([tmp_path / "a"], tmp_path)
    assert covered("a/b/x.py")
    assert not covered("ab/x.py")


def test_a_baseline_that_is_not_there_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match=r"known\.json does not exist; --write-baseline makes it"):
        Baseline.read(tmp_path / "known.json")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("nonsense", r"Expecting value"),
        ("[]", r"list indices"),
        ('{"version": 2, "findings": []}', r"its version is 2, this tenure reads 1"),
        ('{"version": 1, "findings": [{}]}', r"'fingerprint'"),
    ],
)
def test_a_file_that_is_no_baseline_says_why(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "known.json").write_text(content, "utf-8")
    with pytest.raises(BaselineError, match=rf"known\.json is not a baseline \(.*{reason}"):
        Baseline.read(tmp_path / "known.json")
