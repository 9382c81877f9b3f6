"""The command: its four exit statuses, its four formats, and a schedule taken from its own output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenure.cli import main

LOST = "tests.explore.programs:LostUpdate"
COUNTERS = "tests.explore.programs:Counters"
WIDE = [COUNTERS, "--set", "count=3", "--set", "top=9", "--no-reduction"]


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["explore", *words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_what_holds_exits_0(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "lifecycle", "--set", "borrowers=2")
    assert status == 0
    assert out.startswith("lifecycle: HOLDS\n")


def test_what_is_broken_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, LOST)
    assert status == 1
    assert out.startswith("lost update: BROKEN: an addition was lost\n")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["heap"], "there is no model 'heap'"),
        (["lifecycle", "--set", "borrowers"], "--set borrowers: expected KEY=VALUE, as in --set borrowers=3"),
        (["lifecycle", "--replay", "b0--o0"], "word 2 of the schedule is ''"),
        (["lifecycle", "--replay", "b0-x9"], "step 2 is of 'x9'"),
        ([*WIDE, "--no-symmetry", "--format", "mermaid"], "counters has 60 states or more"),
        ([LOST, "-o", "/nowhere/at/all.txt"], "[Errno 2] No such file or directory: '/nowhere/at/all.txt'"),
        (["lifecycle", "--set", "closers=-1"], "closers=-1: expected how many there are, 0 or more"),
        (["boxed", "--set", "borrowers=many"], "borrowers='many': expected how many there are, 0 or more"),
    ],
)
def test_what_cannot_be_read_exits_2(capsys: pytest.CaptureFixture[str], words: list[str], error: str) -> None:
    status, out, err = said(capsys, *words)
    assert status == 2
    assert err.startswith(f"tenure explore: {error}")
    assert out == ""


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--states", "-1"], "argument --states: expected a whole number, got '-1'"),
        (["--preemptions", "-1"], "argument --preemptions: expected a whole number, got '-1'"),
        (["--depth", "two"], "argument --depth: expected a whole number, got 'two'"),
        (["--seconds", "-2"], "argument --seconds: expected a number of 0 or more, got '-2'"),
        (["--megabytes", "nan"], "argument --megabytes: expected a number of 0 or more, got 'nan'"),
        (["--random", "3", "--pct", "5"], "argument --pct: not allowed with argument --random"),
    ],
)
def test_a_bound_that_is_none_exits_2(capsys: pytest.CaptureFixture[str], words: list[str], error: str) -> None:
    with pytest.raises(SystemExit) as ended:
        said(capsys, *WIDE, *words)
    assert ended.value.code == 2
    assert error in capsys.readouterr().err


def test_whatever_else_fails_does_not_exit_as_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise LookupError("gone")

    monkeypatch.setattr("tenure.cli.explore.explore", gone)
    status, out, err = said(capsys, "lifecycle")
    assert (status, out) == (2, "")
    assert err.startswith("Traceback")
    assert err.endswith("LookupError: gone\n")


def test_a_model_that_fails_exits_2_with_the_line_it_fails_in(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "odd.py"
    file.write_text(
        "from tests.explore.programs import LostUpdate\n\n\n"
        "class Odd(LostUpdate):\n"
        "    def steps(self, state):\n"
        "        return super().steps(state) if state[0] < 1 else [][3]\n"
    )
    failed = f"tenure explore: lost update: steps((1, -1, 0)) raised IndexError: list index out of range ({file}:6)\n"
    assert said(capsys, f"{file}:Odd") == (2, "", failed)
    assert said(capsys, f"{file}:Odd", "--replay", "p0-p0-p1") == (2, "", failed)


@pytest.mark.parametrize(
    ("words", "bound"),
    [
        (["--states", "50"], "the bound of 50 states"),
        (["--depth", "3"], "the bound of 3 steps from the start"),
        (["--preemptions", "0"], "the bound of 0 preemptions"),
        (["--seconds", "0"], "the bound of 0 seconds"),
        (["--megabytes", "1"], "the bound of 1 MB of memory"),
        (["--random", "10"], "only 10 random schedules were followed"),
        (["--pct", "10", "--pct-depth", "2", "--seed", "7"], "only 10 PCT schedules were followed"),
    ],
)
def test_a_bound_that_is_reached_exits_3(capsys: pytest.CaptureFixture[str], words: list[str], bound: str) -> None:
    status, out, _ = said(capsys, *WIDE, *words)
    assert status == 3
    assert out.startswith(f"counters: UNFINISHED: {bound}")


def test_the_schedule_that_was_printed_replays_to_the_same_story(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, LOST, "--set", "count=3")
    story = out.partition("\n\n")[2].partition("\n\nseen at the end")[0]
    again = next(line for line in story.splitlines() if "see it again: " in line).partition("see it again: ")[2]
    assert again.startswith("tenure explore ")
    status, replayed, _ = said(capsys, *again.removeprefix("tenure explore ").split())
    assert status == 1
    assert replayed == story + "\n"


def test_a_schedule_that_breaks_nothing_exits_0(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, LOST, "--replay", "p0-p0-p1-p1")
    assert status == 0
    assert "=> number=2" in out


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, LOST, "--format", "json")
    assert status == 1
    assert json.loads(out)["story"]["schedule"] == "p0-p1-p1-p0"


def test_a_replay_can_be_json_and_a_page(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, out, _ = said(capsys, LOST, "--replay", "p0-p1", "--format", "json")
    assert json.loads(out)["steps"] == [{"thread": "p0", "does": "read 0"}, {"thread": "p1", "does": "read 0"}]
    file = tmp_path / "story.html"
    assert said(capsys, LOST, "--replay", "p0-p1", "--format", "html", "-o", str(file))[:2] == (0, "")
    assert "one schedule was replayed" in file.read_text("utf-8")


def test_mermaid_draws_the_graph(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, LOST, "--format", "mermaid")[1].startswith("flowchart TD\n    s0((0))\n")


def test_every_fault_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = said(capsys, LOST, "--all-faults", "--no-symmetry")
    assert "number=2" in out


def test_colour_can_be_forced(capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b[1;31mBROKEN" in said(capsys, LOST, "--color", "always")[1]


def test_progress_is_told_on_the_error_stream_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    words = [COUNTERS, "--set", "count=2", "--set", "top=2", "--random", "200"]
    _, out, err = said(capsys, *words, "--progress")
    assert [line.partition(" states, ")[2].partition(",")[0] for line in err.splitlines()] == [
        "100 waiting",
        "0 waiting",
    ]
    assert err not in out
    assert said(capsys, *words)[2] == ""
