"""The report for people reads like a story, in colour where there is any, and no source can write on the screen."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from tenure.check.finding import Finding, Step
from tenure.check.report import FORMATS, Answer
from tenure.check.report.style import Style
from tenure.check.report.text import coloured, coloured_page, statistics

Answering = Callable[..., Answer]


def test_a_finding_is_a_sentence_and_its_story_under_the_lines(answering: Answering, leak: Finding) -> None:
    assert FORMATS["text"](answering(leak)) == (
        "ingest.py:3:9: TEN101 never-closed: the file opened here is never closed\n"
        "   │ in first_line\n"
        " 3 │     f = open(path)\n"
        "   │         ━━━━━━━━━━ 1 opened here\n"
        " 4 │     line = f.readline()\n"
        "   │     ━━━━━━━━━━━━━━━━━━━ 2 this call may raise\n"
        " 5 │     return line.strip()  # without its end\n"
        "   │     ━━━━━━━━━━━━━━━━━━━ 3 leaves without close\n"
        "   │\n"
        "   why, and what to do: tenure check --explain never-closed\n"
        "\n"
        "1 finding in 1 file (1 file, 5 lines, 0.2 s)\n"
        "what can be mended for you: tenure check --diff\n"
    )


def test_nothing_found_is_said_with_what_was_read(answering: Answering) -> None:
    assert FORMATS["text"](answering()) == "nothing found (1 file, 5 lines, 0.2 s)\n"


def test_a_report_that_did_not_see_everything_says_so(answering: Answering) -> None:
    answer = answering()
    answer = dataclasses.replace(answer, report=dataclasses.replace(answer.report, unfinished=2))
    assert FORMATS["text"](answer) == (
        "nothing found (1 file, 5 lines, 0.2 s)\n2 places not followed to the end: --certainty possible names them\n"
    )


def test_without_line_art_it_is_drawn_with_plain_characters(answering: Answering, leak: Finding) -> None:
    FORMATS["text"](answering(leak, ascii=True)).encode("ascii")


def test_colours_are_there_only_where_they_are_wanted(answering: Answering, leak: Finding) -> None:
    assert "\x1b[1;31mnever-closed\x1b[0m" in FORMATS["text"](answering(leak, colour=True))
    assert "\x1b" not in FORMATS["text"](answering(leak))


def test_lines_a_story_leaves_out_are_marked(answering: Answering, leak: Finding) -> None:
    steps = (Step(1, "called"), Step(5, "leaves without close"))
    shown = FORMATS["text"](answering(dataclasses.replace(leak, story=steps)))
    assert "1 called\n ⋮\n 5 │     return" in shown.replace("  ⋮", " ⋮")


def test_one_line_between_two_steps_is_shown(answering: Answering, leak: Finding) -> None:
    steps = (Step(3, "opened here"), Step(5, "leaves without close"))
    shown = FORMATS["text"](answering(dataclasses.replace(leak, story=steps)))
    assert "opened here\n 4 │     line = f.readline()\n 5 │" in shown


def test_a_story_may_go_back(answering: Answering, leak: Finding) -> None:
    steps = (Step(5, "the loop begins again"), Step(3, "opened again"))
    shown = FORMATS["text"](answering(dataclasses.replace(leak, story=steps)))
    assert shown.index("1 the loop begins again") < shown.index("⋮") < shown.index("2 opened again")


def test_two_steps_on_one_line_share_it(answering: Answering, leak: Finding) -> None:
    steps = (Step(3, "opened here"), Step(3, "lost here"))
    shown = FORMATS["text"](answering(dataclasses.replace(leak, story=steps)))
    assert shown.count("f = open(path)") == 1
    assert shown.index("1 opened here") < shown.index("2 lost here")


def test_a_source_cannot_write_on_the_screen(answering: Answering, leak: Finding) -> None:
    hostile = dataclasses.replace(leak, message="\x1b[2J", story=(Step(1, "a \x1b]0;title\x07"),))
    Path(leak.path).write_text("x = '\x1b[31m\u202e'\n", "utf-8")
    shown = FORMATS["text"](answering(hostile))
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_line_of_a_megabyte_is_cut_to_the_screen(answering: Answering, leak: Finding) -> None:
    Path(leak.path).write_text("#\n#\nf = open(" + "a" * 1_000_000 + ")\n", "utf-8")
    one = dataclasses.replace(leak, story=(Step(3, "opened here"),))
    shown = FORMATS["text"](answering(one, width=60))
    assert max(map(len, shown.splitlines()[2:4])) <= 60 + len(" opened here")


def test_wide_characters_take_two_columns(answering: Answering, leak: Finding) -> None:
    Path(leak.path).write_text("#\n#\n名 = open(p)\n", "utf-8")
    facts = dataclasses.replace(leak.facts, call_start=(3, 6), call_end=(3, 13))
    wide = dataclasses.replace(leak, column=5, story=(Step(3, "opened here"),), facts=facts)
    assert "   │      ━━━━━━━ opened here" in FORMATS["text"](answering(wide))


def test_a_file_that_is_gone_still_has_its_sentence(answering: Answering, leak: Finding) -> None:
    Path(leak.path).unlink()
    assert FORMATS["text"](answering(leak)).startswith("ingest.py:3:9: TEN101 never-closed: the file")


def test_statistics_count_by_rule_the_loudest_first(answering: Answering, leak: Finding) -> None:
    other = dataclasses.replace(leak, rule="closed-twice", code="TEN402")
    assert statistics(answering(other, leak, dataclasses.replace(leak, line=4))) == (
        "     2  TEN101  never-closed\n     1  TEN402  closed-twice\n3 findings in 1 file (1 file, 5 lines, 0.2 s)\n"
    )


def test_a_diff_is_coloured_by_its_first_characters() -> None:
    assert coloured("--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n z\n", Style(colour=True)) == (
        "\x1b[1m--- a\x1b[0m\n\x1b[1m+++ b\x1b[0m\n\x1b[36m@@ -1 +1 @@\x1b[0m\n"
        "\x1b[31m-x\x1b[0m\n\x1b[32m+y\x1b[0m\n z\n"
    )


def test_a_page_has_its_headings_and_its_code_set_off() -> None:
    page = "# never-closed\n\nWhy:\n\n```py\nf = open(p)\n```\n"
    assert coloured_page(page, Style()) == page
    assert coloured_page(page, Style(colour=True)) == (
        "\x1b[1m# never-closed\x1b[0m\n\nWhy:\n\n\x1b[2m```py\x1b[0m\n\x1b[34mf = open(p)\x1b[0m\n\x1b[2m```\x1b[0m\n"
    )
