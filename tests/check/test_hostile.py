"""No file hangs or crashes the checker: broken, huge, deep, with nulls or of an odd encoding."""

from __future__ import annotations

import cProfile
import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.check.config import Config
from tenure.check.engine import check, check_source

CASES = re.split(r"^--- .+\n", (Path(__file__).parent / "cases.txt").read_text("utf-8"), flags=re.MULTILINE)[1:]

HOSTILE = {
    "nulls": b"x = 1\0\ny = open('a')\n",
    "not utf-8": b"x = '\xff\xfe'\n",
    "unknown encoding": b"# -*- coding: klingon -*-\nx = 1\n",
    "utf-16 with a mark": "x = 1\n".encode("utf-16"),
    "a mark of utf-8": b"\xef\xbb\xbfdef f(p):\n    return 1\n",
    "latin-1, declared": b"# coding: latin-1\nx = '\xe9'\n",
    "empty": b"",
    "only a null": b"\0",
    "deep parentheses": b"x = " + b"(" * 5000 + b")" * 5000 + b"\n",
    "deep lists": b"x = " + b"[" * 150 + b"]" * 150 + b"\n",
    "a long sum": b"def f(p):\n    x = open(p)\n    return " + b"+".join([b"1"] * 30_000) + b"\n",
    "a long chain of calls": b"def f(p):\n    return open(p)" + b".a()" * 20_000 + b"\n",
    "a megabyte on a line": b"x = '" + b"a" * 1_000_000 + b"'\n",
    "a million digits": b"x = " + b"9" * 100_000 + b"\n",
    "deep ifs": b"".join(b" " * n + b"if a:\n" for n in range(90)) + b" " * 90 + b"open(p)\n",
    "too deep ifs": b"".join(b" " * n + b"if a:\n" for n in range(300)) + b" " * 300 + b"open(p)\n",
    "a long chain of elif": b"def f(p):\n    x = open(p)\n    if p == 0: pass\n"
    + b"".join(b"    elif p == %d: pass\n" % n for n in range(500)),
    "nested finally": b"def f(p):\n x = open(p)\n"
    + b"".join(b" " * n + b"try: a()\n" + b" " * n + b"finally:\n" for n in range(1, 40))
    + b" " * 40
    + b"x.close()\n",
    "many branches": b"def f(p, a):\n    x = open(p)\n"
    + b"".join(b"    if a.b%d: x = open(p)\n" % n for n in range(300))
    + b"    x.close()\n",
    "it calls itself": b"def f(p):\n    x = g(p)\n    return f(x)\ndef g(p):\n    return f(open(p))\n",
    "a class of itself": b"class A(A):\n    def __init__(self):\n        self.f = open('a')\n"
    b"    def close(self): self.close()\n",
    "bases in a ring": b"class A(B):\n    def close(self): pass\n"
    b"class B(A):\n    def __init__(self): self.f = open('a')\n",
    "imports itself": b"from hostile import x\nfrom . import y\nfrom ...... import z\nx(open('a'))\n",
    "names of hidden things": b"def f(p):\n    open = open(p)\n    del open\n    open.close()\n",
    "carriage returns": b"def f(p):\r    x = open(p)\r    return x.read()\r",
    "form feeds": b"def f(p):\n    x = open(p)\n\x0c\n    return x.read()\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_survived(name: str, tmp_path: Path) -> None:
    file = tmp_path / "hostile.py"
    file.write_bytes(HOSTILE[name])
    report = check([file], Config(certainty="possible"))
    assert report.files == 1


@settings(max_examples=60)
@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    check_source(text, "/nowhere/any.py", Config())


def lines_of_cases() -> list[str]:
    return [line for case in CASES for line in case.splitlines()]


@pytest.mark.parametrize("seed", range(60))
def test_torn_and_mended_programs_are_survived(seed: int) -> None:
    chance = random.Random(seed)
    text = chance.choice(CASES)
    every = lines_of_cases()
    for _ in range(chance.randrange(1, 6)):
        lines = text.splitlines() or [""]
        at = chance.randrange(len(lines))
        change = chance.choice(("drop", "double", "swap", "graft", "indent"))
        if change == "drop":
            del lines[at]
        elif change == "double":
            lines.insert(at, lines[at])
        elif change == "swap":
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif change == "graft":
            lines.insert(at, chance.choice(every))
        else:
            lines[at] = "    " + lines[at]
        text = "\n".join(lines) + "\n"
    for finding in check_source(text, "/nowhere/torn.py", Config(certainty="possible")):
        assert 1 <= finding.line <= text.count("\n") + 1


def test_what_is_nested_too_deeply_for_one_rule_does_not_silence_the_others() -> None:
    deep = "+".join(["x"] * 600)
    text = f"import ctypes\n\ndef f(x):\n    g(({deep}).ctypes.data)\n\ndef h(x):\n    x = open(x)\n"
    (leak,) = check_source(text, "/nowhere/deep.py", Config())
    assert (leak.rule, leak.line) == ("never-closed", 7)
    told = check_source(text, "/nowhere/deep.py", Config(certainty="possible"))
    assert "address-of-temporary did not see all of this file: it is nested too deeply" in {t.message for t in told}


GROWING: dict[str, Callable[[int], str]] = {
    "a table of openers": lambda n: "x = {" + ", ".join(f"{i}: open('{i}')" for i in range(n)) + "}\n",
    "openers in one expression": lambda n: (
        f"def f(p):\n    return [{', '.join(f'(a{i} := open(p))' for i in range(n))}]\n"
    ),
    "a function of openers": lambda n: "def f(p):\n" + "".join(f"    a{i} = open(p)\n" for i in range(n)),
    "an __init__ of pipes": lambda n: (
        "import os\nclass A:\n    def __init__(self):\n"
        + "        self.r, self.w = os.pipe()\n" * n
        + "    def close(self):\n        os.close(self.r)\n"
    ),
    "a long line of ancestors": lambda n: (
        "class A0:\n    def __init__(self): self.f = open('a')\n"
        + "".join(f"class A{i}(A{i - 1}): pass\n" for i in range(1, n))
    ),
}


@pytest.mark.parametrize("name", GROWING)
def test_work_grows_as_the_file_does(name: str) -> None:
    """Counted in calls, which no machine changes: ten times the file may not be forty times the work."""

    def work(size: int) -> int:
        with cProfile.Profile() as profile:
            check_source(GROWING[name](size), "/nowhere/growing.py", Config())
        return sum(entry.callcount for entry in profile.getstats())

    check_source("x = open('a')\n", "/nowhere/warm.py", Config())
    assert work(2000) < 40 * work(200)
