"""A litmus test is read as it was meant, and an error says where it is and what was expected."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.explore import Bounds
from tenure.golang.answer import answer
from tenure.golang.parser import parse
from tenure.golang.suite import rules_for, shipped
from tenure.golang.syntax import Atom, Location, Reference, Statement
from tenure.golang.tokens import LitmusError, tokens
from tenure.golang.wording import NotInGo
from tenure.golang.writer import write

HEAD = 'litmus t\n"A sentence."\n'


def test_a_whole_test_is_read() -> None:
    test = parse(
        dedent("""\
        // nothing
        litmus two-threads
        "Two threads."
        authority "runtime/mfinal.go"
        rules go1.24..go1.26
        procs 8
        global g
        heap { A.next = B; finalizer A f[B] }
        func f(a) [c] { g = c }
        threads main | other
          cycle 2    | x = g
                     | if x { say seen }
        observe events g
        exists f@1 and not (g = A or seen times 2)
        """)
    )
    assert (test.name, test.sentence, test.authority) == ("two-threads", "Two threads.", "runtime/mfinal.go")
    assert (test.rules, test.procs, test.globals, test.observe) == (("go1.24", "go1.26"), 8, ("g",), ("events", "g"))
    assert test.heap[1] == Statement("finalizer", None, (Location("A"),), Reference("f", (Location("B"),)), number=-1)
    assert [thread.name for thread in test.threads] == ["main", "other"]
    assert [step.verb for step in test.threads[1].body] == ["copy", "if"]
    assert test.question.text == "f@1 and not (g = A or seen times 2)"


def test_a_block_may_go_over_several_rows_of_its_column() -> None:
    test = parse(HEAD + "threads a | b\n if x { | gc\n say one | gc\n } | gc\nexists one")
    assert [step.verb for step in test.threads[0].body[0].body] == ["say"]
    assert len(test.threads[1].body) == 3


def test_not_equal_is_the_opposite_of_equal() -> None:
    question = parse(HEAD + "threads a\n gc\nexists g != nil").question
    assert question.expression.inner == Atom("variable", "g", "nil")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tests x", "1:1: expected 'litmus' and the test's name, found 'tests'"),
        ("litmus t\nno sentence", "2:1: expected a sentence in quotes that says what the test shows, found 'no'"),
        (HEAD + "heap [", "3:6: expected '{' and the heap, found '['"),
        (HEAD + "heap { A.x = B", "4:1: expected '}' at the end of the heap, found the end of the test"),
        (HEAD + "procs 2\nprocs 4", "4:1: 'procs' stands here a second time"),
        (HEAD + "stack", "3:1: expected one of authority, rules, procs, global, heap, func or threads, found 'stack'"),
        (HEAD + "func f {", "3:8: expected '(' and the function's parameter, found '{'"),
        (HEAD + "threads gc", "3:9: expected a thread's name (which is not a word of the language), found 'gc'"),
        (HEAD + "threads a\n gc | gc\nexists x", "4:5: a column too many: the test has 1 thread"),
        (HEAD + "threads a\n x = \nexists x", "4:6: expected nil, a variable, or one of new, malloc, open, weak, "),
        (HEAD + "threads a\n free 3\nexists x", "4:7: expected a variable or a field"),
        (HEAD + "threads a\n frees p\nexists x", "4:2: expected a step, found 'frees'"),
        (HEAD + "threads a\n gc gc\nexists x", "4:5: expected ';' or the end of the line, found 'gc'"),
        (HEAD + "threads a\n gc\nperhaps x", "5:1: expected a step, found 'perhaps'"),
        (HEAD + "threads a\n gc", "5:1: expected the question: one of exists, forbidden, always, found the end"),
        (HEAD + "threads a\n gc\nexists (x", "5:10: expected ')', found the end of the line"),
        (HEAD + "threads a\n gc\nexists x@y", "5:10: expected a cycle's number, 0 to 9999, found 'y'"),
        (HEAD + "threads a\n gc\nexists x\nmore", "6:1: expected the end of the test, found 'more'"),
        (HEAD + "threads a\n gc ?\nexists x", "4:5: expected a name, a number, a string or a sign, found '?'"),
        ("", "1:1: expected 'litmus' and the test's name, found the end of the test"),
        ("\0", "1:1: expected a name, a number, a string or a sign, found '\\x00'"),
        ('litmus t\n"not closed', "2:1: expected a name, a number, a string or a sign, found '\"'"),
        (HEAD + "procs 0", "3:7: expected how many processors, 1 to 64, found '0'"),
        (HEAD + "procs " + "9" * 5000, f"3:7: expected how many processors, 1 to 64, found '{'9' * 40}…'"),
        (HEAD + "threads a\n cycle 999999999", "4:8: expected a number, 0 to 255, found '999999999'"),
        (HEAD + "threads a\n cycle ٣", "4:8: expected a name, a number, a string or a sign, found '٣'"),
        (
            HEAD + "rules go9.9",
            "3:7: expected one of go1.21, go1.22, go1.23, go1.24, go1.25, go1.26, go1.27, described",
        ),
        (HEAD + "rules go1.26..go1.24", "3:15: expected one of go1.26, go1.27, found 'go1.24'"),
        (HEAD + "threads a\n " + "if x { " * 40, "4:219: expected no more than 30 levels one in another, found 'if'"),
        (HEAD + "threads a\n gc\nexists " + "(" * 40, "5:38: expected no more than 30 levels one in another"),
        (HEAD + "threads a\n gc\nexists " + "not " * 40, "5:128: expected no more than 30 levels one in another"),
        (
            HEAD + "threads a\n gc\nexists " + "x and " * 101,
            "5:608: expected a question of no more than 100 parts, found 'x'",
        ),
    ],
)
def test_an_error_says_where_and_what_was_expected(text: str, message: str) -> None:
    with pytest.raises(LitmusError) as error:
        parse(text)
    assert message in str(error.value)


def test_an_error_names_the_file() -> None:
    with pytest.raises(LitmusError, match=r"^a\.litmus:1:1: "):
        parse("x", "a.litmus")


# -- whatever is written, there is an answer or an error that says where; never anything else

WORDS = sorted({token.text for kept in shipped() for token in tokens(kept.path.read_text("utf-8"))} - {""})
TEXTS = [kept.path.read_text("utf-8") for kept in shipped()]


def understood(text: str) -> bool:
    """Whether the test can be asked; then it is asked, in a small way, and written as Go."""
    try:
        test = parse(text)
        answer(test, rules_for(test), Bounds(states=200), tells=False)
        write([test], "1.27")
    except (LitmusError, NotInGo):
        return False
    return True


@given(st.lists(st.sampled_from([*WORDS, "\n", "\n", "{", "}", ";", "=", ".", "|"]), max_size=60))
def test_words_in_any_order_are_understood_or_refused(words: list[str]) -> None:
    understood(HEAD + " ".join(words))


@given(st.sampled_from(TEXTS), st.data())
def test_a_shipped_test_with_something_changed_is_understood_or_refused(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    gone = data.draw(st.integers(0, 12))
    understood(text[:at] + data.draw(st.sampled_from(["", *WORDS, "\n", "\0", "é", "{"])) + text[at + gone :])


@given(st.text(max_size=200))
def test_any_text_is_understood_or_refused(text: str) -> None:
    assert not understood(text)
