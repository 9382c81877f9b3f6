"""The incident's table says what became of each remedy, and the exit status what became of the last."""

from __future__ import annotations

import json

import pytest

from tenure.cli import incident, main
from tenure.pipeline.incident.trial import Life, Outcome


def outcomes(last: Life) -> list[Outcome]:
    dead = Life("guarded", "SIGSEGV", "Fatal Python error: Segmentation fault", requests=10, opened=4, closed=2)
    return [Outcome("finalizer", "a finalizer frees", [dead]), Outcome("tenure", "close and lease", [last])]


ALIVE = Life("plain", "", "", requests=1000, opened=5, closed=5, seconds=2.0, grown=1.5)


@pytest.fixture
def lived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incident, "live_through", lambda *rest: outcomes(ALIVE))


@pytest.mark.usefixtures("lived")
def test_the_table_tells_crashes_rates_and_last_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["incident"]) == 0
    out = capsys.readouterr().out
    assert "1 of 1" in out
    assert "500" in out
    assert "died saying: Fatal Python error: Segmentation fault" in out


@pytest.mark.usefixtures("lived")
def test_json_has_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["incident", "--json"]) == 0
    first, last = json.loads(capsys.readouterr().out)
    assert (first["remedy"], first["crashes"], first["rps"]) == ("finalizer", 1, None)
    assert (last["rps"], last["rss_bytes_per_request"]) == (500, 1.5)


def test_the_status_is_1_when_the_last_remedy_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    leaky = Life("plain", "", "", requests=10, opened=5, closed=4, seconds=1.0)
    monkeypatch.setattr(incident, "live_through", lambda *rest: outcomes(leaky))
    assert main(["incident"]) == 1
