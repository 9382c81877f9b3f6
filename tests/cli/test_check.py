"""The command turns arguments into one call, its answer into text, and says by its status how it went."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tenure.check import engine
from tenure.check.config import Config
from tenure.check.engine import Report
from tenure.check.finding import Facts, Finding, Step
from tenure.cli import main
from tenure.cli.check import add_arguments

Run = Callable[..., int]


@pytest.fixture
def calls() -> list[dict[str, object]]:
    return []


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: list[dict[str, object]]) -> Run:
    """Runs the command in a folder with one leak, which the engine finds wherever it still stands."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ingest.py").write_text("def read(p):\n    f = open(p)\n    return f.read()\n", "utf-8")
    facts = Facts("read", "f", "file", "{}.close()", True, (2, 4), (2, 15), (2, 8), (2, 15))
    leak = Finding(
        "never-closed", "TEN101", "ingest.py", 2, 9, 2, "never closed", "certain", (Step(2, "opened"),), facts
    )

    def found(text: str) -> tuple[Finding, ...]:
        return (leak,) if "    f = open(p)" in text else ()

    def check(paths: Sequence[Path], config: Config, **rest: object) -> Report:
        calls.append({"paths": list(paths), "config": config, **rest})
        return Report(found(Path("ingest.py").read_text("utf-8")), 1, 3, 0.0)

    monkeypatch.setattr(engine, "check", check)
    monkeypatch.setattr("tenure.check.fix.rewrite.check_source", lambda text, path, config: found(text))
    return lambda *words: main(["check", *words])


def test_a_finding_is_status_1_and_nothing_found_is_0(run: Run) -> None:
    assert run() == 1
    Path("ingest.py").write_text("", "utf-8")
    assert run() == 0


def test_this_folder_is_checked_unless_paths_are_given(run: Run, calls: list[dict[str, object]]) -> None:
    run()
    run("ingest.py")
    assert [call["paths"] for call in calls] == [[Path()], [Path("ingest.py")]]


def test_a_path_that_is_not_there_is_status_2_and_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("gone.py", "ingest.py") == 2
    assert capsys.readouterr().err == "tenure check: there is no file or folder gone.py\n"


def test_a_setting_that_means_nothing_is_status_2(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    Path("pyproject.toml").write_text("[tool.tenure.check]\nselct = []\n", "utf-8")
    assert run() == 2
    assert "selct is not a setting" in capsys.readouterr().err


def test_a_settings_file_that_is_not_there_is_status_2(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--config", "gone.toml") == 2
    assert "there is no file gone.toml to read settings from" in capsys.readouterr().err


def test_a_mistake_of_our_own_is_status_2_not_a_finding(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(engine, "check", lambda *_, **__: 1 // 0)
    assert run() == 2
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "this is a mistake in tenure itself; nothing was checked" in said


def test_flags_reach_the_engine(run: Run, calls: list[dict[str, object]]) -> None:
    run("--select", "never-closed", "--certainty", "possible", "--jobs", "3", "--no-cache", "--quiet")
    (call,) = calls
    assert call["config"] == Config(select=frozenset({"never-closed"}), certainty="possible")
    assert (call["jobs"], call["cache"], call["progress"]) == (3, None, None)


def test_jobs_must_be_a_whole_number(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run("--jobs", "0")
    assert "'0' is not a whole number from 1" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "gitlab"])
def test_every_format_names_the_finding(run: Run, capsys: pytest.CaptureFixture[str], form: str) -> None:
    assert run("--format", form) == 1
    assert "never-closed" in capsys.readouterr().out


def test_a_report_can_go_to_a_file(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("--format", "json", "--output", "report.json", "--color", "always")
    assert capsys.readouterr().out == ""
    assert json.loads(Path("report.json").read_text("utf-8"))["files"] == 1


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "gitlab"])
def test_a_report_about_a_file_of_any_name_can_go_to_a_file(form: str, tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"odd\xff.py")
    odd.write_text("def read(p):\n    f = open(p)\n    return f.read()\n", "utf-8")
    assert main(["check", "--no-cache", "--format", form, "--output", str(tmp_path / "report"), str(tmp_path)]) == 1
    assert "odd" in (tmp_path / "report").read_text("utf-8")


def test_statistics_take_the_place_of_the_findings(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--statistics") == 1
    assert capsys.readouterr().out.startswith("     1  TEN101  never-closed\n")


def test_explain_shows_the_page_of_the_rule(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--explain", "never-closed") == 0
    assert capsys.readouterr().out.startswith("# never-closed (TEN101)\n")


def test_explaining_an_unknown_rule_is_status_2(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--explain", "never-close") == 2
    assert "did you mean never-closed" in capsys.readouterr().err


def test_rules_lists_them(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--rules") == 0
    assert "TEN101  never-closed" in capsys.readouterr().out


def test_the_problem_matcher_reads_the_text_report(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--problem-matcher") == 0
    (pattern,) = json.loads(capsys.readouterr().out)["problemMatcher"][0]["pattern"]
    run("--color", "always")
    match = re.match(pattern["regexp"], capsys.readouterr().out.splitlines()[0])
    assert match is not None
    read = {key: match[pattern[key]] for key in ("file", "line", "column", "code", "message")}
    assert read == {"file": "ingest.py", "line": "2", "column": "9", "code": "TEN101", "message": "never closed"}


def test_what_a_baseline_knows_is_not_reported_again(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--baseline", "known.json", "--write-baseline") == 0
    assert capsys.readouterr().out == "known.json now knows 1 finding\n"
    assert run("--baseline", "known.json") == 0


def test_a_baseline_says_when_it_knows_too_much(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("--baseline", "known.json", "--write-baseline")
    Path("ingest.py").write_text("", "utf-8")
    assert run("--baseline", "known.json") == 0
    assert "known.json: 1 finding it knows cannot be found any more; --write-baseline" in capsys.readouterr().err


def test_writing_a_baseline_needs_its_name(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--write-baseline") == 2
    assert "--write-baseline needs to know the file" in capsys.readouterr().err


def test_fix_rewrites_the_file_and_reports_what_is_left(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--fix") == 0
    assert Path("ingest.py").read_text("utf-8") == "def read(p):\n    with open(p) as f:\n        return f.read()\n"
    output = capsys.readouterr()
    assert output.err == "fixed 1 of 1 finding\n"
    assert output.out.startswith("nothing found")


def test_a_file_that_cannot_be_written_stays_as_it_is_and_is_named(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = Path("ingest.py").read_bytes()
    monkeypatch.setattr("tenure.check.fix.rewrite.replace", full)
    assert run("--fix") == 2
    assert Path("ingest.py").read_bytes() == before
    told = capsys.readouterr().err
    assert told == "tenure check: ingest.py cannot be written: No space left on device\nfixed 0 of 1 finding\n"


@pytest.mark.parametrize("other", ["--diff", "--write-baseline"])
def test_what_does_not_go_together_is_refused_before_anything_is_written(run: Run, other: str) -> None:
    before = Path("ingest.py").read_bytes()
    with pytest.raises(SystemExit, match="2"):
        run("--fix", other, "--baseline", "known.json")
    assert Path("ingest.py").read_bytes() == before


def test_explaining_no_name_at_all_checks_nothing(run: Run, calls: list[dict[str, object]]) -> None:
    assert run("--explain", "") == 2
    assert calls == []


def test_diff_shows_the_fix_and_changes_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("ingest.py").read_text("utf-8")
    assert run("--diff") == 1
    assert Path("ingest.py").read_text("utf-8") == before
    output = capsys.readouterr()
    assert "-    f = open(p)\n" in output.out
    assert "+    with open(p) as f:\n" in output.out
    assert output.err == "--fix would fix 1 of 1 finding\n"


def test_diff_in_another_format_puts_the_fix_into_the_report(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--diff", "--format", "json") == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["fix"]["title"] == "open it in a with block"


@pytest.mark.parametrize(("flag", "module"), [("--fix", "libcst"), ("--diff", "libcst"), ("--lsp", "lsprotocol")])
def test_what_is_not_installed_is_said_with_how_to_get_it(tmp_path: Path, flag: str, module: str) -> None:
    (tmp_path / "empty.py").write_text("", "utf-8")
    without = f"import sys; sys.modules[{module!r}] = None; from tenure.check import engine; "
    without += "engine.check = lambda *_, **__: engine.Report((), 0, 0, 0.0); "
    program = without + f"from tenure.cli import main; sys.exit(main(['check', {flag!r}]))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    advice = f"tenure check: {flag} needs {module}, which is not installed: pip install 'tenure[check]'\n"
    assert (done.returncode, done.stderr) == (2, advice)


def test_every_option_is_in_the_reference() -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    page = (Path(__file__).parents[2] / "docs/reference/check.md").read_text("utf-8")
    options = [word for action in parser._actions for word in action.option_strings if word.startswith("--")]
    assert [option for option in options if f"`{option}" not in page] == ["--help"]
