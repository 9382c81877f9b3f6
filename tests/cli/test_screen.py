"""The screen is asked what it can show, and a long run draws one line on it and wipes it."""

from __future__ import annotations

import io

import pytest

from tenure.cli.screen import ProgressLine, has_colour, lacks_line_art, width


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Old(io.StringIO):
    encoding = "latin-1"


@pytest.mark.parametrize(
    ("wish", "environment", "colour"),
    [
        ("auto", {}, True),
        ("auto", {"NO_COLOR": "1"}, False),
        ("auto", {"TERM": "dumb"}, False),
        ("always", {"NO_COLOR": "1"}, True),
        ("never", {"FORCE_COLOR": "1"}, False),
    ],
)
def test_a_terminal_has_colours_unless_somebody_says_no(wish: str, environment: dict[str, str], colour: bool) -> None:
    assert has_colour(Terminal(), wish, environment) is colour


def test_a_file_has_colours_only_by_force() -> None:
    assert not has_colour(io.StringIO(), "auto", {})
    assert has_colour(io.StringIO(), "auto", {"FORCE_COLOR": "1"})


def test_an_old_encoding_has_no_line_art() -> None:
    assert lacks_line_art(Old())
    assert not lacks_line_art(Terminal())


def test_what_is_no_terminal_is_a_hundred_wide() -> None:
    assert width(io.StringIO()) == 100


def test_a_short_run_draws_nothing() -> None:
    terminal, times = Terminal(), iter([0.0, 0.1, 0.5])
    line = ProgressLine(terminal, lambda: next(times))
    line(1, 9, "a.py")
    line(2, 9, "b.py")
    line.wipe()
    assert terminal.getvalue() == ""


def test_a_long_run_draws_over_its_line_now_and_then_and_wipes_it() -> None:
    terminal, times = Terminal(), iter([0.0, 1.0, 1.01, 1.2])
    line = ProgressLine(terminal, lambda: next(times))
    for done, path in enumerate(("a.py", "b.py", "c.py"), 1):
        line(done, 1234, path)
    line.wipe()
    assert terminal.getvalue() == "\r\x1b[K1 of 1,234 files  a.py\r\x1b[K3 of 1,234 files  c.py\r\x1b[K"


def test_nothing_is_drawn_where_it_is_no_terminal() -> None:
    stream, times = io.StringIO(), iter([0.0, 5.0])
    ProgressLine(stream, lambda: next(times))(1, 2, "a.py")
    assert stream.getvalue() == ""
