"""``tenure litmus`` answers, tells, draws and replays."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tenure.cli import main
from tenure.golang.suite import kept_at
from tenure.golang.tokens import LitmusError

TEN_LINES = """\
litmus mine
"Freed while it is used."
heap { W.mem = malloc KEY; finalizer W release; main.w = W }
func release(w) { free w.mem }
threads main | collector
  use w.mem  | gc
forbidden crash
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "mine.litmus"
    file.write_text(TEN_LINES, "utf-8")
    return file


def test_it_answers_with_the_story_of_what_is_forbidden(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["litmus", str(mine)]) == 1
    said = capsys.readouterr().out
    assert "* crash: use after free of KEY" in said
    assert "Verdict broken" in said
    assert "=> forbidden, but found: crash" in said


def test_the_schedule_it_prints_tells_the_same_story_again(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["litmus", str(mine)])
    said = capsys.readouterr().out
    again = re.search(r"see it again: tenure (.*)", said)
    assert again
    assert main(again[1].split()) == 0
    assert capsys.readouterr().out.strip() == said.partition("Verdict broken\n\n")[2].strip()


def test_a_shipped_test_is_found_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["litmus", "order-chain"]) == 0
    assert "A@1 B@2 C@3" in capsys.readouterr().out


def test_other_rules_answer_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["litmus", "order-chain", "--rules", "described"]) == 1
    assert "A@1 B@1 C@1" in capsys.readouterr().out


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(["litmus", "order-chain", "once-runs-once", "--format", "json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["test"] for line in lines] == ["order-chain", "once-runs-once"]
    assert lines[0]["outcomes"] == [{"outcome": "A@1 B@2 C@3", "count": 1, "asked": True}]


def test_a_page_shows_every_step(mine: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["litmus", str(mine), "--format", "html", "-o", str(page)]) == 1
    assert "KEY (C) freed" in page.read_text("utf-8")


def test_a_graph_shows_the_states(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["litmus", str(mine), "--format", "mermaid"])
    assert capsys.readouterr().out.startswith("flowchart TD")


def test_the_way_to_another_outcome_can_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["litmus", "incident-ring-buffer", "--witness", "ring=W"]) == 0
    assert "=> ring=W" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing-of-that-name"], "nothing-of-that-name: no such file, and no shipped test of that name"),
        ([], "no test: name a .litmus file or a shipped test, or say --all"),
        (["order-chain", "--witness", "B@1"], "no schedule ends in 'B@1'; the outcomes are 'A@1 B@2 C@3'"),
        (["order-chain", "--replay", "nobody"], "step 1 is of 'nobody'; the threads of order-chain are main"),
        (["capture-itself", "--rules", "go1.21", "--go", "/nowhere/go"], "/nowhere/go: no go command there"),
        (["native-keepalive-prevents-it", "--format", "html"], "no schedule shows what the question looks for"),
        (["weak-does-not-keep", "--rules", "go1.21"], "weak-does-not-keep is not for go1.21, but for go1.24, go1.25"),
        (["--all", "--rules", "go1.21"], "--all asks every test under all rules it is for; leave --rules out"),
        (["--all", "order-chain"], "--all asks every shipped test; leave the names out"),
        (["order-chain", "--record"], "--record keeps what real Go shows: say --go, too"),
        (["order-chain", "once-runs-once", "-o", "x"], "--output takes one answer: name one test"),
        (["order-chain", "once-runs-once", "--fate", "A"], "--replay, --witness and --fate are of one test"),
        (["order-chain", "--format", "svg"], "--format svg draws what becomes of an object: say --fate, too"),
        (["order-chain", "--fate", "Z"], "no object is called 'Z'; there is A, B, C"),
        (["native-keepalive-prevents-it", "--fate", "W"], "there are 2 outcomes; choose one with --witness"),
    ],
)
def test_what_cannot_be_done_is_said(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["litmus", *words]) == 2
    assert message in capsys.readouterr().err


def test_an_unreadable_test_is_said_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.litmus"
    file.write_text('litmus wrong\n"Wrong."\nthreads main\n  frees w\nexists crash\n', "utf-8")
    assert main(["litmus", str(file)]) == 2
    assert f"{file}:4:3: expected a step, found 'frees'" in capsys.readouterr().err


def test_an_unfinished_answer_has_a_status_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "long.litmus"
    file.write_text(
        'litmus long\n"Too many."\nglobal g\nheap { finalizer A f }\n'
        "func f(a) { p = new B; p.next = g; g = p; finalizer a f }\nthreads main\n  cycle 5\nforbidden panic\n",
        "utf-8",
    )
    assert main(["litmus", str(file)]) == 3


def test_accepted_answers_stand_beside_the_test(mine: Path) -> None:
    main(["litmus", str(mine), "--accept"])
    assert mine.with_suffix(".expected").read_text("utf-8").startswith("Rules go1.21 go1.22")


def test_a_bound_that_is_hit_is_unfinished(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["litmus", "native-keepalive-prevents-it", "--states", "5"]) == 3
    assert "not complete: the bound of 5 states" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--runs", "--states", "--fuzz"])
def test_a_number_of_nothing_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["litmus", "order-chain", option, "0"])
    assert exit_.value.code == 2
    assert f"argument {option}: 0 is not 1 or more" in capsys.readouterr().err


def test_what_becomes_of_an_object_is_told_and_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["litmus", "order-chain", "--fate", "B"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "  freed        main: gc"
    assert main(["litmus", "order-chain", "--fate", "B", "--format", "svg"]) == 0
    assert capsys.readouterr().out.startswith("<svg ")


def test_a_file_that_is_not_utf_8_is_unreadable_and_a_mark_in_front_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "odd.litmus"
    file.write_bytes(b'litmus odd\n"\xff"\n')
    assert main(["litmus", str(file)]) == 2
    assert f"{file}:2:2: expected UTF-8, found the byte 0xff" in capsys.readouterr().err
    file.write_bytes(b"\xef\xbb\xbf" + TEN_LINES.encode())
    assert main(["litmus", str(file)]) == 1


def test_records_that_cannot_be_read_are_said_with_their_line(mine: Path) -> None:
    mine.with_suffix(".seen").write_text('{"go": "1.27.3", "outcomes": {}}\n{"go"\n', "utf-8")
    with pytest.raises(LitmusError, match=r"mine\.seen:2:1: expected a record as --record writes it"):
        _ = kept_at(mine).seen


def test_an_answer_does_not_depend_on_the_hashes_of_strings(mine: Path) -> None:
    command = [sys.executable, "-m", "tenure", "litmus", str(mine), "incident-ring-buffer", "--format", "json"]
    said = {
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=False).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert b"crash" in said.pop()
