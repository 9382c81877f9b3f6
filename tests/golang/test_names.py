"""Every name of a litmus test stands for something, of one kind."""

from __future__ import annotations

import pytest

from tenure.golang.names import resolve
from tenure.golang.parser import parse
from tenure.golang.tokens import LitmusError

HEAD = 'litmus t\n"A sentence."\n'


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
        ("threads a\n wait go\nexists deadlock", "4:2: no flag that anybody raises is called 'go'"),
        ("threads a\n x = malloc M\n x = new B\nexists deadlock", "5:2: 'x' is a native here and an object elsewhere"),
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
