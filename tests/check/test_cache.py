"""A second run reads what has changed and what rests on it, and finds the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.check import walk
from tenure.check.config import Config
from tenure.check.engine import Report, check

MAKER = "def make(path):\n    return {}\n"
USER = "from pack.maker import make\n\ndef use(path):\n    f = make(path)\n    return f.read()\n"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "maker.py").write_text(MAKER.format("open(path)"))
    (folder / "user.py").write_text(USER)
    (folder / "other.py").write_text("def other():\n    return 1\n")
    return folder


def run(pack: Path) -> Report:
    return check([pack], Config(), cache=pack.parent / "cache")


def test_a_second_run_checks_nothing_and_finds_the_same(pack: Path, judged: list[str]) -> None:
    first = run(pack)
    judged.clear()
    second = run(pack)
    assert judged == []
    assert [f.rule for f in first.findings] == ["never-closed"]
    assert (second.findings, second.lines, second.files) == (first.findings, first.lines, first.files)


def test_what_was_not_followed_to_the_end_is_remembered(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MOST_STEPS", 3)
    assert [run(pack).unfinished, run(pack).unfinished] == [1, 1]
    monkeypatch.setattr(walk, "MOST_STEPS", 2_500)
    assert check([pack], Config()).unfinished == 0


def test_a_changed_file_costs_itself_and_its_callers(pack: Path, judged: list[str]) -> None:
    run(pack)
    judged.clear()
    (pack / "maker.py").write_text(MAKER.format("path"))
    report = run(pack)
    assert sorted(judged) == ["maker.py", "user.py"]
    assert report.findings == ()


def test_other_settings_are_another_result(pack: Path, judged: list[str]) -> None:
    run(pack)
    judged.clear()
    check([pack], Config(ignore=frozenset({"never-closed"})), cache=pack.parent / "cache")
    assert len(judged) == 4


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"x": {}}', b"\x00\xff", b"[" * 100_000])
def test_a_damaged_cache_is_made_anew(pack: Path, damage: bytes) -> None:
    first = run(pack)
    for file in (pack.parent / "cache").iterdir():
        file.write_bytes(damage)
    assert run(pack).findings == first.findings


def test_a_cache_that_cannot_be_written_does_no_harm(pack: Path) -> None:
    (pack.parent / "cache").write_text("a file, not a folder")
    assert [f.rule for f in run(pack).findings] == ["never-closed"]
