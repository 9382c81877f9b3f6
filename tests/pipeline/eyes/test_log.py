"""A line of the log is JSON made of numbers and short words; nothing else gets in."""

from __future__ import annotations

import io
import json

import pytest

from tenure.pipeline.eyes.log import Log, silent


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def test_a_line_is_an_object_with_the_time_and_the_facts(stream: io.StringIO) -> None:
    Log(stream, lambda: 12.3456)("stored", events=3, fsync="no", always=False)
    assert json.loads(stream.getvalue()) == {
        "at": 12.346,
        "happened": "stored",
        "events": 3,
        "fsync": "no",
        "always": False,
    }
    assert stream.getvalue().endswith("\n")


class Word(str):
    __slots__ = ()


@pytest.mark.parametrize("fact", [object(), b"secret", memoryview(b"secret"), ["a"], None, Word("held")])
def test_nothing_but_numbers_and_words_gets_in(stream: io.StringIO, fact: object) -> None:
    with pytest.raises(TypeError, match=r"the log takes numbers and words; key of 'opened' is a \w+"):
        Log(stream)("opened", key=fact)  # type: ignore[arg-type]
    assert stream.getvalue() == ""


def test_a_long_word_is_cut(stream: io.StringIO) -> None:
    Log(stream)("refused", why="x" * 1000)
    assert json.loads(stream.getvalue())["why"] == "x" * 200 + "…"


def test_a_line_cannot_be_broken_from_outside(stream: io.StringIO) -> None:
    Log(stream)("refused", why='a\n{"happened": "forged"}')
    assert len(stream.getvalue().splitlines()) == 1


def test_a_line_that_cannot_be_written_is_counted_and_stops_nobody() -> None:
    with io.TextIOWrapper(io.FileIO("/dev/full", "a"), write_through=True) as full:
        log = Log(full)
        log("draining", connections=1)
        log("stopped")
        assert log.lost == 2


def test_the_silent_log_keeps_nothing() -> None:
    assert silent("anything", fact=1) is None  # type: ignore[func-returns-value]
