"""``tenure ledger`` shows what another process holds, lists those that can be seen, and says why one cannot."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

import pytest

import tenure
from tenure.cli import main
from tenure.cli.ledger import add_arguments, age, amount, run
from tenure.runtime import inspect


@pytest.fixture(autouse=True)
def _own_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))


@pytest.fixture
def shown() -> Iterator[inspect.Server]:
    """This process shows a ledger with two things in it."""
    with (
        inspect.serve() as server,
        tenure.own(1, release=lambda _: None, kind="thing", size=1024),
        tenure.own(2, release=lambda _: None, kind="other thing", size=5),
    ):
        yield server


def test_a_process_is_shown_as_a_table(shown: inspect.Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", str(os.getpid())]) == 0
    head, columns, *rows = capsys.readouterr().out.splitlines()
    assert re.fullmatch(rf"process {os.getpid()} \(\w+\): 2 open, 1.0 KiB; \d+ opened, \d+ closed, \d+ abandoned", head)
    assert columns.split() == ["OPEN", "GROWTH", "BYTES", "OLDEST", "KIND", "OPENED", "AT"]
    assert any(re.fullmatch(r" +1 +1\.0 KiB +0 s  thing +tests/cli/test_ledger\.py:\d+ in shown", row) for row in rows)


def test_a_second_look_tells_the_growth(shown: inspect.Server, capsys: pytest.CaptureFixture[str]) -> None:
    main(["ledger", str(os.getpid())])
    capsys.readouterr()
    with tenure.own(3, release=lambda _: None, kind="new thing"):
        main(["ledger", str(os.getpid())])
    told = capsys.readouterr().out
    assert "growth since the last look, 0 s ago" in told
    assert re.search(r"1 +\+1 +0 B +0 s  new thing", told)
    assert re.search(r"1 +0 +1.0 KiB +0 s  thing", told)


def test_a_program_gets_json(shown: inspect.Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", str(os.getpid()), "--json"]) == 0
    seen = json.loads(capsys.readouterr().out)
    assert sorted(line["kind"] for line in seen["lines"]) == ["other thing", "thing"]
    assert seen["counts"]["open"] == 2


def test_without_a_pid_those_to_be_seen_are_listed(shown: inspect.Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger"]) == 0
    columns, row = capsys.readouterr().out.splitlines()
    assert columns.split() == ["PID", "OPEN", "BYTES", "COMMAND"]
    assert row.split()[:4] == [str(os.getpid()), "2", "1.0", "KiB"]
    assert main(["ledger", "--json"]) == 0
    assert [seen["pid"] for seen in json.loads(capsys.readouterr().out)] == [os.getpid()]


def test_where_there_is_none_it_says_how_to_have_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger"]) == 0
    assert capsys.readouterr().out == (
        "No process shows its ledger. Start one with TENURE_INSPECT=1, or call tenure.inspect.serve() in it.\n"
    )


def test_a_process_that_cannot_be_seen_is_an_error_that_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ledger", str(os.getpid())]) == 2
    assert capsys.readouterr().err == (
        f"tenure ledger: process {os.getpid()} does not show its ledger. "
        "Start it with TENURE_INSPECT=1, or call tenure.inspect.serve() in it.\n"
    )


def test_watching_looks_until_the_process_is_gone(shown: inspect.Server, capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            shown.close()

    assert run(parser.parse_args([str(os.getpid()), "--watch", "0.5", "--json"]), sleep) == 0
    out, err = capsys.readouterr()
    assert [json.loads(line)["since_last_look"] is None for line in out.splitlines()] == [True, False]
    assert slept == [0.5, 0.5]
    assert "does not show its ledger" in err


def test_an_interrupt_ends_a_watch_quietly(shown: inspect.Server, capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    def sleep(seconds: float) -> None:
        raise KeyboardInterrupt

    assert run(argparse.Namespace(pid=os.getpid(), json=False, watch=2.0), sleep) == 0


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "0 s"), (119, "119 s"), (150, "2.5 min"), (9000, "2.5 h"), (259200, "3.0 d")]
)
def test_an_age_is_told_in_its_unit(seconds: float, told: str) -> None:
    assert age(seconds) == told


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (1 << 20, "1.0 MiB"), (5 << 30, "5.0 GiB")]
)
def test_an_amount_is_told_in_its_unit(size: int, told: str) -> None:
    assert amount(size) == told
