"""Which files are checked: each once, none that is left out, and no folder is passed over in silence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tenure.check.config import Config
from tenure.check.engine import check
from tenure.check.listing import listing


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.py", "b.txt", "pkg/c.py", "pkg/deep/d.py", "gen_one/e.py", "x.py/f.py"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x = 1\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(*paths: str, exclude: tuple[str, ...] = ()) -> list[str]:
    return [str(file) for file in listing([Path(path) for path in paths], exclude).files]


def test_python_files_below_a_folder_come_in_order(tree: Path) -> None:
    assert names(".") == ["a.py", "gen_one/e.py", "pkg/c.py", "pkg/deep/d.py", "x.py/f.py"]


def test_a_folder_that_a_name_or_a_pattern_leaves_out_is_not_walked_into(tree: Path) -> None:
    assert names(".", exclude=("deep", "gen_*")) == ["a.py", "pkg/c.py", "x.py/f.py"]


def test_what_is_named_is_not_left_out(tree: Path) -> None:
    assert names("a.py", "pkg", exclude=("a.py", "pkg")) == ["a.py", "pkg/c.py", "pkg/deep/d.py"]


def test_one_file_is_checked_once_by_whatever_paths_it_is_named(tree: Path) -> None:
    assert names("pkg/c.py", "./pkg", str(tree / "pkg")) == ["pkg/c.py", "pkg/deep/d.py"]


def test_links_that_lead_nowhere_or_back_and_what_is_no_file_are_passed_over(tree: Path) -> None:
    Path("dangling.py").symlink_to("nowhere")
    Path("ring.py").symlink_to("ring.py")
    Path("pkg/up").symlink_to("..")
    os.mkfifo("pipe.py")
    assert names(".", exclude=("gen_one", "x.py", "deep")) == ["a.py", "pkg/c.py"]


def test_a_folder_nobody_can_look_into_is_a_finding(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def scandir(folder: str) -> object:
        if str(folder).endswith("pkg"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    report = check([Path()], Config())
    (finding,) = report.findings
    assert (finding.rule, finding.path) == ("unreadable", "pkg")
    assert finding.message == "this folder cannot be checked: it cannot be listed: Permission denied"
    assert check([Path()], Config(ignore=frozenset({"unreadable"}))).findings == ()
