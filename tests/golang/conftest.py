"""Short ways to ask the model a question."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from tenure.golang.answer import Answer, answer
from tenure.golang.parser import parse

Ask = Callable[..., Answer]


@pytest.fixture
def ask() -> Ask:
    """The answer to a test whose name and sentence do not matter."""

    def asked(text: str, rules: str = "go1.27") -> Answer:
        return answer(parse(f'litmus asked\n"A sentence."\n{dedent(text)}'), rules)

    return asked
