"""Which exception an ``except`` clause takes, as far as names tell."""

from __future__ import annotations

import ast

import pytest

from tenure.check.handlers import catches
from tenure.check.indexing import index
from tenure.check.state import Error

HANDLERS = "import socket, json\nKINDS = ({})\n"


@pytest.mark.parametrize(
    ("handler", "thrown", "answer"),
    [
        ("OSError", "builtins.ConnectionRefusedError", True),
        ("ConnectionRefusedError", "builtins.OSError", None),
        ("ValueError", "builtins.OSError", False),
        ("ValueError", "", None),
        ("Exception", "", True),
        ("Exception", "builtins.GeneratorExit", False),
        ("BaseException", "builtins.GeneratorExit", True),
        ("socket.error", "builtins.OSError", True),
        ("(KeyError, OSError)", "builtins.OSError", True),
    ],
)
def test_a_handler_takes_what_its_class_says(handler: str, thrown: str, answer: bool | None) -> None:
    text = HANDLERS.format(handler)
    module = index(text, "m.py", ast.parse(text), ("", "m", False))
    assert catches(module, ast.parse(handler, mode="eval").body, Error(thrown, 2)) is answer


def test_a_bare_handler_takes_everything() -> None:
    module = index("", "m.py", ast.parse(""), ("", "m", False))
    assert catches(module, None, Error("", 2))
