"""A litmus test is read as it was meant, and an error says where it is and what was expected."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.explore import Bounds
from tenure.golang.answer import answer
from tenure.golang.names import resolve
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


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("global keep\nthreads a\n kep = keep\n x = kip\nexists deadlock", "6:6: no variable of 'a' is called 'kip'"),
        (
            "threads a\n x = A\nexists deadlock",
            "4:6: 'A' is an object's name; outside the heap an object is reached by a variable",
        ),
        ("threads a\n A = nil\nexists deadlock", "4:2: 'A' is an object's name; a variable begins with a small letter"),
        ("threads a\n x = new b\nexists deadlock", "4:2: 'b' should be an object's name, with a capital letter"),
        ("threads a\n x = new B\n y = new B\nexists deadlock", "5:2: 'B' is already made elsewhere"),
        ("heap { finalizer A g }\nthreads a\n gc\nexists deadlock", "3:20: no function is called 'g': there is none"),
        (
            "func free-it(a) {}\nheap { finalizer A free-i }\nthreads a\n gc\nexists deadlock",
            "4:20: no function is called 'free-i': did you mean 'free-it'?",
        ),
        (
            "heap { finalizer A f[A] }\nfunc f(a) {}\nthreads a\n gc\nexists deadlock",
            "3:20: 'f' captures 0, but is given 1",
        ),
        (
            "heap { cleanup A f }\nfunc f(a) {}\nthreads t\n gc\nexists deadlock",
            "3:18: 'f' takes 'a', but the cleanup has no argument",
        ),
        ("threads a | a\n gc | gc\nexists deadlock", "3:13: 'a' is already the name of something else"),
        ("threads finalizers\n gc\nexists deadlock", "3:9: 'finalizers' is already the name of something else"),
        ("threads a-b\n gc\nexists deadlock", "3:9: 'a-b': a thread's name has letters, digits and _ only"),
        ("threads a\n wait go\nexists deadlock", "4:2: no flag that anybody raises is called 'go'"),
        ("threads a\n x = malloc M\n x = new B\nexists deadlock", "5:2: 'x' is a native here and an object elsewhere"),
        ("heap { gc }\nthreads a\n gc\nexists deadlock", "3:8: 'gc' cannot stand in the heap"),
        ("threads a\n gc\nexists f@1", "5:8: no event is called 'f': there is none"),
        ("threads a\n gc\nexists freed A", "5:8: no object is called 'A': there is none"),
        ("threads a\n gc\nexists g = nil", "5:8: no global is called 'g': there is none"),
        ("global g\nthreads a\n gc\nexists g = A", "6:8: no object is called 'A': there is "),
        (
            "threads a\n gc\nobserve evens\nexists deadlock",
            "5:9: no event list, global or object to observe is called 'evens': did you mean 'events'?",
        ),
        (
            "func f(a) {}\nheap { f.x = A }\nthreads a\n gc\nexists deadlock",
            "4:8: 'f' is a function; only a thread's variables can be",
        ),
        ("global g g\nthreads a\n gc\nexists deadlock", "3:10: 'g' is already the name of something else"),
        ("global a\nthreads a\n gc\nexists deadlock", "4:9: 'a' is already the name of something else"),
        ("global G\nthreads a\n gc\nexists deadlock", "3:8: 'G' is an object's name; a global begins with a small"),
        ("threads cleanups2\n gc\nexists deadlock", "3:9: 'cleanups2' is already the name of something else"),
        ("global g\nfunc f(g) {}\nthreads a\n gc\nexists deadlock", "4:1: 'g' is a global; what 'f' is given needs"),
        ("func f(a) [b a] {}\nthreads t\n gc\nexists deadlock", "3:1: 'f' is given 'a' twice"),
        ("threads a\n static V\nexists deadlock", "4:2: 'static' can only stand in the heap"),
        ("heap { A = nil }\nthreads a\n gc\nexists deadlock", "3:8: 'A' is an object, which cannot be set"),
        ("heap { drop A }\nthreads a\n gc\nexists deadlock", "3:13: 'A' is an object, which cannot be set"),
        ("heap { static V; zero V }\nthreads a\n gc\nexists deadlock", "3:18: 'V' is already the name of something"),
        ("global g\nheap { zero Z; g = Z }\nthreads a\n gc\nexists deadlock", "4:20: 'Z' has no size"),
        ("heap { A.m = malloc A }\nthreads a\n gc\nexists deadlock", "3:8: 'A' is an object already"),
        ("threads a\n m = malloc M; d = open M\nexists deadlock", "4:16: 'M' is a native block already"),
        ("threads a\n unpin\nexists deadlock", "4:2: 'unpin' without any 'pin' in the test"),
        ("global h\nthreads a\n stop h\nexists deadlock", "5:2: 'stop' without any 'cleanup' in the test"),
        (
            "heap { main.p = A }\nthreads main\n once p.c { gc }; x = p.c\nexists deadlock",
            "5:23: 'c' is a once: only 'once' can use it",
        ),
        ("heap { b.x = A }\nthreads a\n gc\nexists deadlock", "no object, global or thread is called 'b': there is A"),
    ],
)
def test_a_name_that_stands_for_nothing_is_an_error(body: str, message: str) -> None:
    with pytest.raises(LitmusError) as error:
        resolve(parse(HEAD + body))
    assert message in str(error.value)


def test_what_only_a_closure_captures_is_an_object_too() -> None:
    names = resolve(parse(HEAD + "heap { finalizer A f[B] }\nfunc f(a) [b] {}\nthreads main\n gc\nexists f"))
    assert names.objects == ["A", "B"]


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
