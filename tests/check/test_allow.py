"""A comment allows what it names on its line; what it does not allow is reported, and so is a comment without use."""

from __future__ import annotations

import pytest

from tenure.check.allow import allowances
from tenure.check.config import Config
from tenure.check.engine import check_source
from tenure.check.finding import Finding

LEAK = "def f(path):\n    x = open(path)  {}\n    return x.read()\n"


def found(text: str, config: Config | None = None) -> list[Finding]:
    return list(check_source(text, "/nowhere/example.py", config or Config()))


def test_a_comment_on_the_line_allows_a_finding() -> None:
    assert found(LEAK.format("# tenure: allow never-closed (a test)")) == []


def test_the_code_of_a_rule_does_as_well() -> None:
    assert found(LEAK.format("# tenure: allow TEN101")) == []


def test_a_comment_alone_speaks_of_the_next_line() -> None:
    assert found("def f(path):\n    # tenure: allow never-closed\n\n    x = open(path)\n    return x.read()\n") == []


def test_another_rule_is_not_allowed_by_it() -> None:
    rules = [finding.rule for finding in found(LEAK.format("# tenure: allow closed-twice"))]
    assert sorted(rules) == ["never-closed", "unused-allow"]


def test_a_name_that_is_no_rule_is_reported_as_such() -> None:
    (finding,) = found("x = 1  # tenure: allow never-close\n")
    assert finding.message == "there is no rule 'never-close': `tenure check --rules` lists them all"


def test_a_comment_without_use_says_what_is_not_there() -> None:
    (finding,) = found("x = 1  # tenure: allow never-closed\n")
    assert finding.message == "nothing here is never-closed: the comment that allows it can go"
    assert (finding.line, finding.column) == (1, 8)


def test_a_comment_about_a_rule_not_in_use_is_left_alone() -> None:
    assert found("x = 1  # tenure: allow never-closed\n", Config(ignore=frozenset({"never-closed"}))) == []


def test_a_string_is_no_comment() -> None:
    assert allowances('x = "# tenure: allow never-closed"\n') == []


def test_several_rules_are_allowed_by_one_comment() -> None:
    assert [a.rule for a in allowances("x  # tenure: allow never-closed, lost-on-error (both)\n")] == [
        "never-closed",
        "lost-on-error",
    ]


def test_a_comment_may_say_something_else_first() -> None:
    assert found(LEAK.format("# for the log; tenure: allow never-closed (a test)")) == []


def test_a_finding_that_is_only_possible_is_allowed_whether_it_is_asked_for_or_not() -> None:
    text = "def f(p):\n    x = open(p)  # tenure: allow lost-on-error (short)\n    y = x.read()\n    x.close()\n"
    for certainty in ("likely", "possible"):
        assert check_source(text, "/nowhere/a.py", Config(certainty=certainty)) == ()


@pytest.mark.parametrize("at", [1, 2, 4, 5])
def test_a_comment_above_at_the_begin_or_at_the_end_allows_a_statement_of_several_lines(at: int) -> None:
    lines = ["def f(p):", "    x = (", "        open(", "            p)", "    )", "    return x.read()", ""]
    comment = "  # tenure: allow never-closed (a test)"
    lines = [*lines[:at], *([comment] if at == 1 else []), *lines[at:]]
    if at > 1:
        lines[at - 1 if at < 5 else 4] += comment
    assert found("\n".join(lines)) == []


def test_a_comment_inside_a_statement_allows_its_own_line_alone() -> None:
    text = (
        "import json\ndef f(p):\n    return [\n        json.load(open(p)),  # tenure: allow temporary-not-closed (a)\n"
    )
    text += "        json.load(open(p)),\n    ]\n"
    assert [(finding.line, finding.rule) for finding in found(text)] == [(5, "temporary-not-closed")]


def test_a_file_whose_lines_end_with_carriage_returns_alone_is_counted_as_python_counts() -> None:
    assert found(LEAK.format("# tenure: allow never-closed (a test)").replace("\n", "\r")) == []
