"""The conditions of a function: which are asked again, and which decide whether something is closed."""

from __future__ import annotations

import ast

from tenure.check.indexing import index
from tenure.check.questions import Questions

TEXT = """
def f(own, loud, x):
    if own:
        x.close()
    if x is not None and loud:
        print(x)
    if ready():
        print(x)
"""


def questions() -> Questions:
    module = index(TEXT, "m.py", ast.parse(TEXT), ("", "m", False))
    return Questions(module.functions["f"])


def test_only_conditions_around_a_close_are_guards() -> None:
    assert questions().guards == {"own", "own is None"}


def test_a_with_around_what_has_a_name_closes_it() -> None:
    text = (
        "def f(p, own, ask):\n    if own:\n        with p.stdin:\n            p.run()\n"
        "    if ask:\n        with p.lock():\n            p.run()\n"
    )
    module = index(text, "m.py", ast.parse(text), ("", "m", False))
    assert Questions(module.functions["f"]).guards == {"own", "own is None"}


def test_a_condition_and_its_opposite_are_one_question() -> None:
    asked = questions()
    tests = [ast.parse(text, mode="eval").body for text in ("x is None", "x is not None", "not x")]
    for test in tests:
        asked.count(test)
    assert asked.asked["x is None"] == asked.asked["x"] == 3


def test_a_call_without_a_name_may_answer_otherwise_each_time() -> None:
    asked = questions()
    first, second = (ast.parse(text, mode="eval").body for text in ("next(it).ok", "it.next()"))
    assert asked.text(first) == "next(it).ok"
    assert asked.text(second) == ""
