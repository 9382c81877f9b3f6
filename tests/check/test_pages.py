"""Every rule has its page, which is found by name or code."""

from __future__ import annotations

import pytest

from tenure.check.pages import UnknownRule, find, page, table_of_rules
from tenure.check.rule import Rule
from tenure.check.rules import RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_a_page_that_begins_with_its_name_and_code(rule: Rule) -> None:
    assert page(rule).startswith(f"# {rule.name} ({rule.code})\n")


def test_a_rule_is_found_by_name_and_by_code_in_any_case() -> None:
    assert find("Never-Closed") is find("ten101")


def test_a_misspelt_rule_gets_advice() -> None:
    with pytest.raises(UnknownRule, match="there is no rule 'never-close'; did you mean never-closed"):
        find("never-close")


def test_a_rule_unlike_any_is_referred_to_the_list() -> None:
    with pytest.raises(UnknownRule, match="there is no rule 'xyzzy'; `tenure check --rules` lists them all"):
        find("xyzzy")


def test_the_table_has_a_line_for_each_rule_by_code() -> None:
    assert [line.split()[:2] for line in table_of_rules().splitlines()] == sorted([r.code, r.name] for r in RULES)
