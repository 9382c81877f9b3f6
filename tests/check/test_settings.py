"""Settings come from the nearest pyproject.toml, the command line has the last word, and a misspelt key is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.check.config import Config, ConfigError
from tenure.check.settings import chosen, default_cache, nearest_pyproject, read


def project(folder: Path, table: str) -> Path:
    file = folder / "pyproject.toml"
    file.write_text(f"[tool.tenure.check]\n{table}\n", "utf-8")
    return file


def test_the_nearest_pyproject_is_in_the_folder_or_above(tmp_path: Path) -> None:
    file = project(tmp_path, "")
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert nearest_pyproject(tmp_path / "a" / "b") == file


def test_without_a_pyproject_there_are_the_defaults() -> None:
    assert read(None).config == Config()


def test_every_setting_is_read(tmp_path: Path) -> None:
    told = read(
        project(tmp_path, 'select = ["never-closed"]\nbaseline = "known.json"\njobs = 3\ncertainty = "possible"')
    )
    assert told.config.select == {"never-closed"}
    assert told.config.certainty == "possible"
    assert told.baseline == tmp_path / "known.json"
    assert told.jobs == 3


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('selct = ["a"]', r"selct is not a setting; there are select, ignore, exclude"),
        ('select = ["no-such-rule"]', r"'no-such-rule' is neither a rule nor the beginning of a code; the rules are"),
        ("baseline = 1", r"baseline should be the name of a file, it is 1"),
        ("jobs = 0", r"jobs should be a whole number from 1, it is 0"),
        ("jobs = true", r"jobs should be a whole number from 1, it is True"),
        ("jobs =", r"pyproject\.toml cannot be read: Invalid value"),
    ],
)
def test_what_cannot_be_meant_is_an_error(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(project(tmp_path, table))


def test_the_command_line_selects_instead_and_ignores_in_addition() -> None:
    config = Config(select=frozenset({"never-closed"}), ignore=frozenset({"TEN2"}))
    changed = chosen(config, ["TEN1"], ["never-closed"], "certain")
    assert changed.select == {"TEN1"}
    assert changed.ignore == {"TEN2", "never-closed"}
    assert changed.certainty == "certain"


def test_an_unknown_rule_on_the_command_line_is_an_error() -> None:
    with pytest.raises(ConfigError, match="the command line: 'never-shut' is neither a rule"):
        chosen(Config(), ["never-shut"], [], None)


def test_results_are_kept_in_the_cache_folder_of_the_user() -> None:
    assert default_cache({"XDG_CACHE_HOME": "/c"}) == Path("/c/tenure/check")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tool = 5", "tool should be a table, as in .tool.tenure.check.; it is 5"),
        ("[tool]\ntenure = 'x'", "tenure should be a table"),
        ("[tool.tenure]\ncheck = [1]", "check should be a table"),
        ("[tool.tenure.check]\nbaseline = ''", "baseline should be the name of a file"),
    ],
)
def test_what_is_no_table_is_told(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=why):
        read(tmp_path / "pyproject.toml")
