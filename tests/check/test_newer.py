"""A line that only a newer Python reads is told by that Python; what no Python reads is not."""

from __future__ import annotations

import pytest

from tenure.check.newer import newer_python


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("def first[T](items: list[T]) -> T:", "3.12"),
        ("    async def first[T: int, *Ts](self):", "3.12"),
        ("class Box[T]:", "3.12"),
        ("type Pair[T] = tuple[T, T]", "3.12"),
        ("type Name = str", "3.12"),
        ('    return f"{names["first"]}"', "3.12"),
        ("class Box[T = int]:", "3.13"),
        ("type Pair[T = int] = tuple[T, T]", "3.13"),
        ("    page = t'<p>{text}</p>'", "3.14"),
        ("    except OSError, ValueError:", "3.14"),
        ("    except* errors.A, errors.B, C:", "3.14"),
        ("lazy import json", "3.15"),
        ("lazy from json import loads", "3.15"),
        ("flat = [*row for row in rows]", "3.15"),
    ],
)
def test_syntax_is_told_by_the_python_that_first_had_it(line: str, python: str) -> None:
    assert newer_python(line, (3, 11)) == python
    assert newer_python(line, tuple(map(int, python.split(".")))) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line", ["def half(:", "print 'x'", "except OSError, e:", "x = = 1", "class A(:", "type(x", "it's = not"]
)
def test_what_no_newer_python_reads_is_told_by_none(line: str) -> None:
    assert newer_python(line, (3, 11)) == ""
