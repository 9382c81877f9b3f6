"""The constructor of a dataclass, as its fields tell it."""

from __future__ import annotations

import ast

import pytest

from tenure.check.indexing import index

HEAD = "from dataclasses import dataclass, field, InitVar\nfrom typing import ClassVar\n"


def constructor(text: str) -> str:
    cls = index(HEAD + text, "m.py", ast.parse(HEAD + text), ("", "m", False)).classes["A"]
    return ast.unparse(cls.methods["__init__"].node) if cls.record else ""


def test_each_field_is_a_parameter_that_becomes_an_attribute() -> None:
    text = "@dataclass\nclass A:\n    a: int\n    b: str = 'x'\n"
    assert constructor(text) == "def __init__(self, a=..., b='x'):\n    self.a = a\n    self.b = b"


@pytest.mark.parametrize("line", ["b: ClassVar[int] = 1", "b: int = field(init=False)", "b = 1"])
def test_what_is_no_parameter_is_left_out(line: str) -> None:
    assert constructor(f"@dataclass(frozen=True)\nclass A:\n    {line}\n    a: int\n") == (
        "def __init__(self, a=...):\n    self.a = a"
    )


def test_the_second_half_is_called_last() -> None:
    text = "@dataclass\nclass A:\n    a: int\n    def __post_init__(self): pass\n"
    assert constructor(text).endswith("self.a = a\n    self.__post_init__()")


@pytest.mark.parametrize(
    "text", ["@dataclass\nclass A(B):\n    a: int\n", "@dataclass\nclass A:\n    a: InitVar[int]\n"]
)
def test_fields_out_of_sight_leave_it_untold(text: str) -> None:
    assert constructor(text) == "def __init__(self, *args, **kwargs):\n    ..."


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    a: int\n",
        "@dataclass(init=False)\nclass A:\n    a: int\n",
        "@dataclass\nclass A:\n    a: int\n    def __init__(self): pass\n",
    ],
)
def test_a_class_without_such_a_constructor_gets_none(text: str) -> None:
    assert constructor(text) == ""
