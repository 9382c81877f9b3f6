"""Looks are noted under the module in whose name they are made."""

from __future__ import annotations

from tenure.check.indexing import index
from tenure.check.modules import Module
from tenure.check.source import parse
from tenure.check.trace import Trace


def module(name: str) -> Module:
    return index("", f"{name}.py", parse("", name), (".", name, False))


def test_a_look_is_noted_under_whoever_asks() -> None:
    trace, one, two = Trace(), module("one"), module("two")
    trace.turn(one)
    trace.look("three", "function", "f")
    assert trace.turn(two) is one
    trace.look("three", "function", "g")
    assert trace.looks == {one: {("three", "function", "f")}, two: {("three", "function", "g")}}


def test_what_a_module_sees_of_itself_is_not_noted() -> None:
    trace, one = Trace(), module("one")
    trace.turn(one)
    trace.look("one", "function", "f")
    assert trace.looks == {one: set()}


def test_a_look_in_nobodys_name_is_not_noted() -> None:
    trace, one = Trace(), module("one")
    trace.turn(one)
    assert trace.turn(None) is one
    trace.look("two", "file")
    assert trace.asker is None
    assert trace.looks == {one: set()}
