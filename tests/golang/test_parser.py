"""A litmus test is read as it was meant, and an error says where it is and what was expected."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tenure.golang.names import resolve
from tenure.golang.parser import parse
from tenure.golang.syntax import Atom, Location, Reference, Statement
from tenure.golang.tokens import LitmusError

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
        (HEAD + "threads a\n gc\nexists x@y", "5:10: expected a cycle's number, found 'y'"),
        (HEAD + "threads a\n gc\nexists x\nmore", "6:1: expected the end of the test, found 'more'"),
        (HEAD + "threads a\n gc ?\nexists x", "4:5: expected a name, a number, a string or a sign, found '?'"),
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
            "no event list, global or object to observe is called 'evens'",
        ),
        (
            "func f(a) {}\nheap { f.x = A }\nthreads a\n gc\nexists deadlock",
            "4:8: 'f' is a function; only a thread's variables can be",
        ),
        ("heap { b.x = A }\nthreads a\n gc\nexists deadlock", "no object, global or thread is called 'b': there is A"),
    ],
)
def test_a_name_that_stands_for_nothing_is_an_error(body: str, message: str) -> None:
    with pytest.raises(LitmusError) as error:
        resolve(parse(HEAD + body))
    assert message in str(error.value)
