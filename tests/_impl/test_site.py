"""A site is kept as frames, is one object for equal frames, and reads as a person would write it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tenure._impl import site
from tenure._impl.site import UNKNOWN, Site, capture, line_of


def here(depth: int = 3) -> Site:
    return capture(sys._getframe(1), depth)


def test_equal_frames_are_one_site() -> None:
    sites = {id(here()) for _ in range(3)}
    assert len(sites) == 1


def test_another_line_is_another_site() -> None:
    first = here()
    second = here()
    assert first is not second


def test_the_same_line_called_from_elsewhere_is_another_site() -> None:
    def inner() -> Site:
        return here()

    first = inner()
    second = inner()
    assert first is not second
    assert first.frames()[0] == second.frames()[0]


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_it_keeps_as_many_frames_as_asked(depth: int) -> None:
    frames = here(depth).frames()
    assert len(frames) == depth
    assert frames[0][2] == "test_it_keeps_as_many_frames_as_asked"


def test_no_frames_are_an_unknown_place() -> None:
    assert here(0) is UNKNOWN
    assert str(UNKNOWN) == "an unknown place (sites are off, or not sampled)"
    assert repr(UNKNOWN) == "<Site unknown>"
    assert UNKNOWN.place == ("<unknown>", 0)


def test_it_reads_as_file_line_and_function(monkeypatch: pytest.MonkeyPatch) -> None:
    place = here()
    line = sys._getframe().f_lineno - 1
    monkeypatch.chdir(Path(__file__).parent)
    assert str(place) == f"test_site.py:{line} in test_it_reads_as_file_line_and_function"
    monkeypatch.chdir(os.sep)
    assert str(place).startswith("/") is False or __file__ in str(place)
    assert place.place == (__file__, line)


def test_frames_inside_the_package_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "_PACKAGE", str(Path(__file__).parent))
    names = {name for _, _, name in here().frames()}
    assert "test_frames_inside_the_package_are_left_out" not in names


def test_an_instruction_without_a_line_has_its_functions_first() -> None:
    assert line_of(here.__code__, 10**6) == here.__code__.co_firstlineno
