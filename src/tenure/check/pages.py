"""The page of a rule: what it finds, why that is a mistake, and what to do instead."""

from __future__ import annotations

import difflib
from importlib.resources import files

from tenure.check.rule import Rule
from tenure.check.rules import RULES

__all__ = ["UnknownRule", "find", "page", "table_of_rules"]


class UnknownRule(LookupError):
    """There is no rule of that name or code; the message says which come close."""


def find(word: str) -> Rule:
    """The rule of that name or code, however it is capitalised."""
    wanted = word.casefold()
    for rule in RULES:
        if wanted in (rule.name.casefold(), rule.code.casefold()):
            return rule
    close = difflib.get_close_matches(wanted, [rule.name for rule in RULES], n=3, cutoff=0.5)
    advice = f"did you mean {' or '.join(close)}?" if close else "`tenure check --rules` lists them all."
    raise UnknownRule(f"there is no rule {word!r}; {advice}")


def page(rule: Rule) -> str:
    """The page as Markdown; it travels inside the package."""
    return (files("tenure.check.rules") / "pages" / f"{rule.name}.md").read_text("utf-8")


def table_of_rules() -> str:
    """Code, name and sentence of every rule, a line each, by code."""
    widest = max(len(rule.name) for rule in RULES)
    rules = sorted(RULES, key=lambda rule: rule.code)
    return "".join(f"{rule.code}  {rule.name:<{widest}}  {rule.sentence}\n" for rule in rules)
