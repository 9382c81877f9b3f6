"""A litmus test is written as the Go program it stands for."""

from __future__ import annotations

import re

import pytest

from tenure.golang.parser import parse
from tenure.golang.suite import Kept, shipped
from tenure.golang.wording import NotInGo
from tenure.golang.writer import needs_cleanups, write

HEAD = 'litmus t\n"A sentence."\n'
KEPT = [kept for kept in shipped() if kept.test.rules[0] != "described"]


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: kept.test.name)
def test_every_shipped_test_can_be_written(kept: Kept) -> None:
    text = write([kept.test], "1.27")
    assert text.count("{") == text.count("}")
    assert "var programs = []func() func() string{t0run}" in text


def test_steps_become_go() -> None:
    text = write(
        [
            parse(
                HEAD + "global g\nheap { finalizer A f[B]; A.next = B; main.p = A }\nfunc f(a) [c] { g = c }\n"
                "threads main\n  x = p.next; cycle; if g { say seen }; keepalive p; finalizer x nil\nexists seen"
            )
        ],
        "1.21",
    )
    for line in (
        "type t0_node struct {",
        "fnext *t0_node",
        "runtime.SetFinalizer(vA, t0_bind_df_d8(vB))",
        "func t0_F_df(va *t0_node, vc *t0_node) {",
        "vx = vp.fnext",
        'event("seen")',
        "runtime.KeepAlive(vp)",
        "runtime.SetFinalizer(vx, nil)",
    ):
        assert line in text


def test_cleanups_cannot_be_written_for_go_that_has_none() -> None:
    test = parse(HEAD + "heap { cleanup A c }\nfunc c() {}\nthreads main\n  cycle\nexists c")
    assert needs_cleanups(test)
    with pytest.raises(NotInGo, match=r"t: weak pointers and cleanups are there since go1\.24"):
        write([test], "1.23")
    assert "runtime.AddCleanup(vA" in write([test], "1.24")


def test_a_cleanup_with_an_argument_on_an_object_of_no_size_is_refused() -> None:
    test = parse(HEAD + "heap { zero Z; cleanup Z c B }\nfunc c(b) {}\nthreads main\n  cycle\nexists c")
    with pytest.raises(NotInGo, match="an object of no size"):
        write([test], "1.27")


def test_names_that_differ_stay_different() -> None:
    test = parse(HEAD + "global a-b a_b\nthreads main\n  a-b = a_b\nexists a-b = nil")
    text = write([test], "1.27")
    assert "t0_G_da_db" in text
    assert "t0_G_da__b" in text


def written(text: str) -> str:
    return write([parse(HEAD + text)], "1.27")


def test_with_several_threads_no_step_is_taken_while_a_cycle_is_under_way() -> None:
    text = written("global g\nthreads a | b\n  g = new N | cycle\nexists deadlock")
    assert "held = step()\n\tt0_G_dg = t0_new_dN()\n\theld = stepped()" in text
    assert "held = step()" not in written("global g\nthreads a\n  g = new N; cycle\nexists deadlock")


def test_a_recovered_panic_gives_the_cycle_free_again() -> None:
    text = written("threads a | b\n  recover { p = nil; p.x = p } | cycle\nexists deadlock")
    assert "if recover() != nil && held {" in text


def test_names_that_the_writer_has_for_itself_can_be_a_tests_own() -> None:
    heap = "heap { finalizer A event }\nfunc event(a) { raise x }"
    text = written(f"global node registry name-of pool flag-x\n{heap}\nthreads run\n  wait x\nexists event")
    declared = re.findall(r"^(?:var|func|type) (\w+)", text, re.MULTILINE)
    assert sorted(declared) == sorted(set(declared))
