"""A temporary is opened in a with block around its statement, where nothing else changes its turn."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Remedied = Callable[..., str | None]

BECOMES = {
    "def f(p):\n    return json.load(open(p))\n": (
        "def f(p):\n    with open(p) as file:\n        return json.load(file)\n"
    ),
    "def f(p):\n    open(p, 'w').write('x')\n": "def f(p):\n    with open(p, 'w') as file:\n        file.write('x')\n",
    "def f(p):\n    # why\n    x = open(p).read()  # what\n    return x\n": (
        "def f(p):\n    # why\n    with open(p) as file:\n        x = open_\n    return x\n".replace(
            "open_", "file.read()  # what"
        )
    ),
    "def f(p):\n    return [line for line in open(p)]\n": (
        "def f(p):\n    with open(p) as file:\n        return [line for line in file]\n"
    ),
    "def f(p):\n    # why\n    for row in csv.reader(open(p)):\n        yield row\n": (
        "def f(p):\n    # why\n    with open(p) as file:\n        for row in csv.reader(file):\n            yield row\n"
    ),
    "def f(p, file):\n    return json.load(open(p))\n": (
        "def f(p, file):\n    with open(p) as file_2:\n        return json.load(file_2)\n"
    ),
}


@pytest.mark.parametrize("before", BECOMES)
def test_it_becomes(remedied: Remedied, before: str) -> None:
    assert remedied(before) == BECOMES[before]


STAYS = {
    "its value is added to": "def f(p, x):\n    return open(p).read() + x\n",
    "something runs before it": "def f(p):\n    return g(h(), open(p).read())\n",
    "it is opened only sometimes": "def f(p):\n    return p and open(p).read()\n",
    "it is opened in every round": "def f(ps):\n    return [open(p).read() for p in ps]\n",
    "a generator reads it later": "def f(p):\n    return list_later(line for line in open(p))\n",
    "what reads through it is kept": "def f(p):\n    x = csv.reader(open(p))\n    return x\n",
    "a lambda opens it later": "def f(p):\n    return lambda: open(p).read()\n",
    "it is asked in a condition": "def f(p):\n    if open(p).read():\n        return 1\n",
    "nothing is done with it": "def f(p):\n    open(p)\n",
}


@pytest.mark.parametrize("case", STAYS)
def test_there_is_no_fix_where(remedied: Remedied, case: str) -> None:
    assert remedied(STAYS[case]) is None
