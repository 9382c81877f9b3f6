"""Every command ends alike: an operator's mistake is 2 and one line, a reader that has seen enough is 141."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tenure.cli import COMMANDS, ending, main
from tenure.cli.ending import Refused, ended


class Told(Exception):
    """A mistake of the operator's."""


class Acting:
    """A command that raises."""

    UNFORESEEN = "nobody foresaw this"

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """None."""

    def mistakes(self) -> tuple[type[Exception], ...]:
        return (Told,)

    def run(self, args: argparse.Namespace) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Told("no such thing; try another"), "no such thing; try another"),
        (Refused("not now"), "not now"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a.txt"),
            "[Errno 2] No such file or directory: 'a.txt'",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "[Errno 28] No space left on device"),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), "[Errno 32] Broken pipe"),  # a peer's; our own output is open
    ],
)
def test_an_operators_mistake_is_one_line_and_status_2(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("tenure act", Acting(error), argparse.Namespace()) == 2
    assert capsys.readouterr().err == f"tenure act: {line}\n"


def test_what_nobody_foresaw_shows_its_traceback_and_is_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("tenure act", Acting(ZeroDivisionError("oh")), argparse.Namespace()) == 2
    told = capsys.readouterr().err
    assert told.startswith("Traceback")
    assert told.endswith("ZeroDivisionError: oh\ntenure act: nobody foresaw this\n")


def test_an_interrupt_is_status_130_and_no_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("tenure act", Acting(KeyboardInterrupt()), argparse.Namespace()) == 130
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_which_mistakes_are_the_operators(name: str) -> None:
    command = importlib.import_module(f"tenure.cli.{name}")
    assert all(issubclass(kind, Exception) for kind in command.mistakes())
    assert isinstance(command.UNFORESEEN, str)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_has_a_way_of_its_own(name: str) -> None:
    text = Path(ending.__file__).with_name(f"{name}.py").read_text("utf-8")
    assert "BrokenPipeError" not in text
    assert "except Exception" not in text


def test_a_part_of_a_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pipeline", "run", "--config", "/nowhere/tenure.toml"]) == 2
    assert capsys.readouterr().err.startswith("tenure pipeline run: ")


RULES = [sys.executable, "-m", "tenure", "check", "--rules"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a device of Linux")
def test_a_full_disk_is_told_once() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(RULES, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "tenure check: [Errno 28] No space left on device\n")


def test_a_reader_that_has_seen_enough_of_both_streams_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(RULES, stdout=write, stderr=write, check=False)
    finally:
        os.close(write)
    assert done.returncode == 141


def test_an_interrupted_run_says_nothing(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, tenure.check.engine as engine; from tenure.cli import main;"
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # ignored where the tests run in the background
        "engine.check = lambda *_, **__: os.kill(os.getpid(), signal.SIGINT); sys.exit(main(['check']))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "")


@pytest.mark.parametrize("encoding", ["ascii", "utf-8:strict", "latin-1"])
@pytest.mark.parametrize("options", [["--format", "text"], ["--format", "github"], ["--format", "sarif"], ["--diff"]])
def test_what_the_output_has_no_character_for_is_escaped(encoding: str, options: list[str], tmp_path: Path) -> None:
    text = 'def f(p):\n    x = open(p)  # ünï\n    return x.read() + "日本"\n'
    (tmp_path / os.fsdecode(b"odd\xff.py")).write_text(text, "utf-8")
    program = [sys.executable, "-m", "tenure", "check", "--no-cache", *options]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert done.returncode == 1, done.stderr
    assert b"odd" in done.stdout
