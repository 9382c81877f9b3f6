"""What can be read and makes no sense is an error with its place."""

from __future__ import annotations

import pytest

from tenure.golang.names import resolve
from tenure.golang.parser import parse
from tenure.golang.tokens import LitmusError

HEAD = 'litmus t\n"A sentence."\n'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("threads a | a\n gc | gc\nexists deadlock", "3:13: 'a' is already the name of something else"),
        ("threads finalizers\n gc\nexists deadlock", "3:9: 'finalizers' is already the name of something else"),
        ("threads a-b\n gc\nexists deadlock", "3:9: 'a-b': a thread's name has letters, digits and _ only"),
        ("heap { gc }\nthreads a\n gc\nexists deadlock", "3:8: 'gc' cannot stand in the heap"),
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
    ],
)
def test_what_makes_no_sense_is_an_error(body: str, message: str) -> None:
    with pytest.raises(LitmusError) as error:
        resolve(parse(HEAD + body))
    assert message in str(error.value)
