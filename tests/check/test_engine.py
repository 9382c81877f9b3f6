"""Files in, findings out: what is read, what is left out, what is heard on the way, how a broken file is told."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from tenure.check import engine
from tenure.check.config import Config, ConfigError
from tenure.check.engine import check, check_source
from tenure.check.modules import Module

LEAK = "def f(path):\n    x = open(path)\n    return x.read()\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("a.py", "b.py", "build/made.py", "sub/c.py", "notes.txt"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(LEAK)
    return tmp_path


def test_every_python_file_below_a_folder_is_checked_once(tree: Path) -> None:
    report = check([tree, tree / "a.py"], Config())
    assert [Path(f.path).name for f in report.findings] == ["a.py", "b.py", "c.py"]
    assert (report.files, report.lines) == (3, 9)


def test_an_excluded_name_is_left_out_unless_it_is_given_itself(tree: Path) -> None:
    config = Config(exclude=("sub", "b.*"))
    assert [Path(f.path).name for f in check([tree], config).findings] == ["a.py", "made.py"]
    assert check([tree / "b.py"], config).files == 1


@pytest.mark.parametrize("folder", ["_vendor", "_vendored", "vendored", "third_party", ".venv"])
def test_other_peoples_code_is_left_out_unless_it_is_given_itself(tree: Path, folder: str) -> None:
    (tree / folder).mkdir()
    (tree / folder / "theirs.py").write_text(LEAK)
    assert [Path(f.path).name for f in check([tree], Config()).findings] == ["a.py", "b.py", "c.py"]
    assert [Path(f.path).name for f in check([tree / folder], Config()).findings] == ["theirs.py"]


def test_progress_hears_of_each_file(tree: Path) -> None:
    heard: list[tuple[int, int, str]] = []
    check([tree], Config(), progress=lambda done, total, path: heard.append((done, total, Path(path).name)))
    assert heard == [(1, 3, "a.py"), (2, 3, "b.py"), (3, 3, "c.py")]


def test_several_processes_find_what_one_finds(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WORTH_SHARING", 2)
    assert check([tree], Config(), jobs=2).findings == check([tree], Config()).findings


def test_what_was_read_for_one_group_is_gone_before_the_next_when_it_was_much(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def modules() -> int:
        return sum(isinstance(each, Module) for each in gc.get_objects())

    (tree / "sub" / "__init__.py").touch()
    monkeypatch.setattr(engine, "WORTH_SHARING", 2)
    held: list[int] = []
    for most in (1_000, 1):
        monkeypatch.setattr(engine, "MOST_LINES", most)
        gc.collect()
        before = modules()
        check([tree], Config(), progress=lambda done, total, path, before=before: held.append(modules() - before))  # type: ignore[misc]
    assert held == [2, 2, 4, 4, 2, 2, 2, 2]


def test_a_file_that_is_no_python_is_one_clear_finding(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("x = 1\ndef f(:\n")
    (finding,) = check([file], Config()).findings
    assert (finding.rule, finding.line) == ("unreadable", 2)
    assert finding.message == "this file cannot be checked: invalid syntax"


def test_a_file_that_is_not_there_is_one_clear_finding(tmp_path: Path) -> None:
    report = check([tmp_path / "gone.py"], Config(), cache=tmp_path / "cache")
    (finding,) = report.findings
    assert finding.rule == "unreadable"
    assert finding.message == "this file cannot be checked: it cannot be opened: No such file or directory"
    assert report.lines == 0


def test_what_another_file_of_the_package_hands_out_is_followed_from_one_text(tmp_path: Path) -> None:
    (tmp_path / "maker.py").write_text("def make(path):\n    return open(path)\n")
    text = "from maker import make\n\ndef use(path):\n    f = make(path)\n    return f.read()\n"
    (finding,) = check_source(text, str(tmp_path / "user.py"), Config())
    assert (finding.rule, finding.line) == ("never-closed", 4)


def test_an_opener_that_a_module_of_the_project_passes_on_is_followed(tmp_path: Path) -> None:
    (tmp_path / "compat.py").write_text("from tempfile import TemporaryDirectory\n")
    text = "from compat import TemporaryDirectory\n\ndef f():\n    d = TemporaryDirectory()\n    return d.name\n"
    assert [f.rule for f in check_source(text, str(tmp_path / "use.py"), Config())] == ["never-closed"]


def test_an_opener_of_the_project_is_followed_like_any_other() -> None:
    text = "from lib import connect\n\ndef use():\n    c = connect()\n    return c.ask()\n"
    config = Config.from_table({"openers": {"lib.connect": "hang_up"}}, "pyproject.toml")
    (finding,) = check_source(text, "/nowhere/user.py", config)
    assert finding.message == "`c` (connect) is never closed"
    assert finding.facts.close == "{}.hang_up()"
    assert check_source(text.replace("return c.ask()", "c.hang_up()"), "/nowhere/user.py", config) == ()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"openers": {"lib.connect": []}}, "opener 'lib.connect' should name the methods that close it, it says []"),
        ({"openers": ["x"]}, "openers should be a table of dotted names, it is ['x']"),
        ({"select": "TEN1"}, "select should be a list of strings, it is 'TEN1'"),
        ({"exclude": ["a", ""]}, "exclude has an empty word in it: ['a', '']"),
        ({"openers": {"": "close"}}, "opener '' should be a dotted name, such as 'camera.acquire'"),
        ({"certainty": "sure"}, "certainty is 'sure'; it may be certain, likely, possible"),
    ],
)
def test_a_setting_that_cannot_be_meant_says_what_fits(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config.from_table(table, "pyproject.toml")
    assert str(caught.value) == f"pyproject.toml: {message}"


def test_what_is_only_possible_is_told_when_it_is_asked_for() -> None:
    text = "def f(path):\n    x = open(path)\n    y = x.read()\n    x.close()\n    return y\n"
    assert check_source(text, "/nowhere/a.py", Config()) == ()
    (finding,) = check_source(text, "/nowhere/a.py", Config(certainty="possible"))
    assert (finding.rule, finding.certainty) == ("lost-on-error", "possible")


def test_the_story_tells_the_turns_and_ends_where_the_function_is_left() -> None:
    text = "def f(path, quick):\n    x = open(path)\n    if quick:\n        return 1\n    x.close()\n"
    (finding,) = check_source(text, "/nowhere/a.py", Config())
    assert [(step.line, step.text) for step in finding.story] == [
        (2, "file opened here by `open()`"),
        (3, "`quick` is true"),
        (4, "returns"),
        (4, "leaves the function without closing it"),
    ]


def test_a_function_with_too_many_paths_is_told_as_unfinished() -> None:
    turns = "".join(f"    if a{n}(x):\n        b{n} = open(p)\n" for n in range(40))
    found = check_source(f"def f(p, x):\n{turns}    return 1\n", "/nowhere/a.py", Config(certainty="possible"))
    assert "unfinished" in {finding.rule for finding in found}


def test_a_variable_of_the_module_used_at_exit_is_possible() -> None:
    text = "lib = load()\n\nclass H:\n    def __del__(self):\n        lib.free(self.h)\n"
    (finding,) = check_source(text, "/nowhere/a.py", Config(certainty="possible"))
    assert finding.rule == "del-uses-globals"


def test_a_column_counts_characters_not_bytes() -> None:
    text = 'def f(p):\n    é = "日本"; x = open(p)\n    return x.read()\n'
    (finding,) = check_source(text, "/nowhere/a.py", Config())
    assert text.splitlines()[1][finding.column - 1 :] == "open(p)"
    twice = 'import os\ndef f(d):\n    é = "日本"; os.close(d); os.close(d)\n'
    (again,) = check_source(twice, "/nowhere/a.py", Config())
    assert (again.rule, again.column) == ("closed-twice", twice.splitlines()[2].rindex("os.close") + 1)
