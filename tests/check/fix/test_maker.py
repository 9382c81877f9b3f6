"""A function that may come back with nothing is told from one that always opens or raises."""

from __future__ import annotations

import textwrap

import libcst as cst
import pytest

from tenure.check.config import Config
from tenure.check.engine import check_source
from tenure.check.fix.maker import may_give_nothing
from tenure.check.fix.rewrite import rewrite

SURE = {
    "it opens": "def make(p):\n    return open(p)\n",
    "on one line": "def make(p): return open(p)\n",
    "it opens or raises": "def make(p):\n    if p:\n        return open(p)\n    raise ValueError(p)\n",
    "on every branch": "def make(p):\n    if p:\n        return open(p)\n    elif p is None:\n        raise OSError\n"
    "    else:\n        return open('b')\n",
    "in a try": "def make(p):\n    try:\n        return open(p)\n    except OSError:\n        raise ValueError(p)\n",
    "in the end of a with": "def make(p):\n    with lock:\n        return open(p)\n",
    "until it opens": "def make(p):\n    while True:\n        p = p or q\n        if p: return open(p)\n",
    "a function inside": "def make(p):\n    def inner():\n        return None\n    return open(p)\n",
}
UNSURE = {
    "it says None": "def make(p):\n    if not p:\n        return None\n    return open(p)\n",
    "it returns": "def make(p):\n    if not p:\n        return\n    return open(p)\n",
    "it runs past its end": "def make(p):\n    if p:\n        return open(p)\n",
    "on one branch": "def make(p):\n    return open(p) if p else None\n",
    "where it fails": "def make(p):\n    try:\n        return open(p)\n    except OSError:\n        print(p)\n",
    "a method": "class Store:\n    @staticmethod\n    def make(p):\n        for q in p:\n            return open(q)\n",
}


@pytest.mark.parametrize("name", SURE | UNSURE)
def test_whether_nothing_may_come_back(name: str) -> None:
    module = cst.parse_module((SURE | UNSURE)[name])
    assert may_give_nothing(module, cst.parse_expression("make(p)")) == (name in UNSURE)


def test_what_may_be_nothing_is_not_put_into_a_with() -> None:
    use = textwrap.dedent("""
        def first(p):
            f = make(p)
            return f.readline()

        def whole(p):
            return make(p).read()
    """)

    def fixed(maker: str) -> int:
        text = maker + use
        return rewrite(text, "/nowhere/a.py", check_source(text, "/nowhere/a.py", Config()), Config()).fixed

    assert fixed(SURE["it opens or raises"]) == 2
    assert fixed(UNSURE["it says None"]) == 0
