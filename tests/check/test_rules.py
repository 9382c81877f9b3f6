"""Each rule finds what its page says it finds, on that line, and nothing else in the examples of the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tenure.check.config import Config
from tenure.check.engine import check_source
from tenure.check.rule import Rule
from tenure.check.rules import RULES

PAGES = Path(__file__).parents[2] / "docs" / "rules"
BLOCK = re.compile(r"^```py\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXPECTED = re.compile(r"# error: ([\w-]+)")

#: Rules about what is only possible have no example by default; tests of their own show that they speak.
WITHOUT_EXAMPLE = {"unfinished", "del-uses-globals"}


def blocks() -> list[tuple[str, str]]:
    """Every example of every page, under a name."""
    return [
        (f"{page.stem}-{number}", block)
        for page in sorted(PAGES.glob("*.md"))
        for number, block in enumerate(BLOCK.findall(page.read_text("utf-8")), 1)
    ]


def expected(text: str) -> list[tuple[int, str]]:
    return [(n, rule) for n, line in enumerate(text.splitlines(), 1) for rule in EXPECTED.findall(line)]


@pytest.mark.parametrize(("name", "text"), blocks(), ids=[name for name, _ in blocks()])
def test_the_example_is_found_on_its_line(name: str, text: str, tmp_path: Path) -> None:
    found = check_source(text, str(tmp_path / "example.py"), Config())
    assert [(f.line, f.rule) for f in found] == expected(text)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_page_of_a_rule_shows_it_at_work(rule: Rule) -> None:
    name = rule.name
    text = (PAGES / f"{name}.md").read_text("utf-8")
    assert name in WITHOUT_EXAMPLE or f"# error: {name}" in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_page_opens_with_the_sentence_of_the_rule(rule: Rule) -> None:
    name, code, sentence = rule.name, rule.code, rule.sentence
    text = (PAGES / f"{name}.md").read_text("utf-8")
    assert " ".join(text.split()).startswith(f"# {name} ({code}) {sentence}")


def test_names_and_codes_are_used_once() -> None:
    assert len({rule.name for rule in RULES}) == len({rule.code for rule in RULES}) == len(RULES)
