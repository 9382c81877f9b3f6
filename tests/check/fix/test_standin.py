"""A fixed text does what it did, with stand-ins for all it touches, whichever way its tests turn out or calls fail."""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from tests.check.fix.standin import played

from tenure.check.config import Config
from tenure.check.engine import check_source
from tenure.check.fix.rewrite import Rewrite, rewrite

HERE = Path(__file__).parent
CHANCES = 2
FAILURES = 12


def texts(file: Path) -> dict[str, str]:
    """The texts of a file by the names they stand under."""
    parts = re.split(r"^--- (.+)\n", file.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


TEXTS = texts(HERE / "snippets.txt") | texts(HERE.parent / "cases.txt")


@cache
def fixed(text: str) -> Rewrite:
    return rewrite(text, "/nowhere/a.py", check_source(text, "/nowhere/a.py", Config()), Config())


def comments(text: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


def test_many_are_fixed() -> None:
    assert sum(bool(fixed(text).fixed) for text in texts(HERE / "snippets.txt").values()) > 50


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.filterwarnings("ignore")
def test_a_fix_changes_nothing_but_when_it_closes(name: str) -> None:
    done = fixed(TEXTS[name])
    before, after = done.before, done.after
    if not done.fixed:
        assert after == before
        return
    for chance in range(CHANCES):
        length = len(played(before, chance))
        for failing in range(min(length, FAILURES) + 1):
            assert played(after, chance, failing) == played(before, chance, failing), (chance, failing)


@pytest.mark.parametrize("name", TEXTS)
def test_a_fix_keeps_every_comment_and_leaves_nothing_that_it_could_fix(name: str) -> None:
    done = fixed(TEXTS[name])
    assert comments(done.after) == comments(done.before)
    assert fixed(done.after).fixed == 0


def test_a_fix_leaves_alone_what_gives_the_name_of_a_module_to_something_else() -> None:
    text = "import sqlite3\n\ndef f(p, {}=1):\n    with sqlite3.connect(p) as c:\n        c.execute('x')\n"
    assert fixed(text.format("other")).fixed == 1
    assert fixed(text.format("contextlib")).fixed == 0


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_a_fix_keeps_the_line_ends_and_the_missing_last_one(end: str) -> None:
    text = end.join(["def f(p):", "    f = open(p)", "    x = f.read()", "    return x"])
    wanted = end.join(["def f(p):", "    with open(p) as f:", "        x = f.read()", "    return x"])
    assert fixed(text).after == wanted
