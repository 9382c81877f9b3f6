"""The model does what Go's collector, finalizers, cleanups and weak pointers do, one small program each."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tenure.explore import Verdict
from tenure.golang.answer import Answer

Ask = Callable[..., Answer]

CHAIN = """
heap { A.next = B; B.next = C; finalizer A; finalizer B; finalizer C }
threads main
  cycle 4
observe events A B C
exists C
"""


def test_parents_are_finalized_before_children_one_level_a_cycle(ask: Ask) -> None:
    assert ask(CHAIN).allowed == {"A@1 B@2 C@3; A freed@2; B freed@3; C freed@4"}


def test_as_described_there_is_no_order_and_all_run_in_the_first_cycle(ask: Ask) -> None:
    assert ask(CHAIN, "described").allowed == {"A@1 B@1 C@1; A freed@2; B freed@2; C freed@2"}


@pytest.mark.parametrize(
    ("heap", "allowed"),
    [
        ("A.next = A; finalizer A", "A@1; A freed@2"),
        ("A.next = B; B.next = A; finalizer A", "none; A held"),
        ("finalizer A f[A]", "none; A held"),
        ("cleanup A c", "c@1; A freed@1"),
        ("cleanup A c; finalizer A", "A@1 c@2; A freed@2"),
        ("static A; finalizer A", "none; A held"),
        ("zero A; finalizer A; finalizer A; cleanup A c", "none; A held"),
        ("finalizer A; finalizer A nil", "none; A freed@1"),
        ("finalizer A; finalizer A", "none; throw: finalizer already set"),
        ("pool A; finalizer A", "A@2; A freed@3"),
        ("pin A; finalizer A", "none; A held"),
    ],
)
def test_when_an_object_is_found_and_freed(ask: Ask, heap: str, allowed: str) -> None:
    found = ask(
        f"heap {{ {heap}\n }}\nfunc f(a) [c] {{}}\nfunc c() {{}}\nthreads main\n cycle 3\nobserve events A\nexists A"
    )
    assert found.allowed == {allowed}


def test_a_variable_is_kept_to_its_last_mention_and_perhaps_longer(ask: Ask) -> None:
    found = ask("""
        heap { finalizer A f; main.p = A }
        func f(a) {}
        threads main
          cycle; keepalive p; cycle; say end
        observe events
        forbidden f@1
        """)
    assert found.allowed == {"end@2 f@2", "end@2"}
    assert found.verdict is Verdict.HOLDS


def test_a_weak_pointer_is_nil_once_the_finalizer_is_queued_and_stays_so(ask: Ask) -> None:
    found = ask("""
        global w s t kept
        heap { finalizer A f; w = weak A }
        func f(a) { s = strong w; kept = a }
        threads main
          cycle
          t = strong w
          w = weak kept
          t = strong w
        exists s = nil and t = A
        """)
    assert (found.observation, len(found.outcomes)) == ("Always", 1)


def test_a_use_after_free_is_found_with_its_story(ask: Ask) -> None:
    found = ask("""
        heap { W.mem = malloc KEY; finalizer W release; main.w = W }
        func release(w) { free w.mem }
        threads main | collector
          use w.mem  | gc
        forbidden crash
        """)
    assert found.verdict is Verdict.BROKEN
    assert "crash: use after free of KEY" in found.allowed
    assert found.story is not None
    assert found.story.fault == "forbidden, but found: crash"


def test_keepalive_after_the_last_use_prevents_it(ask: Ask) -> None:
    found = ask("""
        heap { W.mem = malloc KEY; finalizer W release; main.w = W }
        func release(w) { free w.mem }
        threads main             | collector
          use w.mem; keepalive w | gc
        forbidden crash
        """)
    assert found.verdict is Verdict.HOLDS


def test_a_blocked_finalizer_holds_back_the_others_and_before_go1_25_cleanups_too(ask: Ask) -> None:
    text = """
        heap { finalizer A stuck; finalizer B; cleanup C c }
        func stuck(a) { block }
        func c() {}
        threads main
          cycle
        exists not B and not c and stuck
        """
    assert ask(text, "go1.24").observation == "Sometimes"
    assert ask(text.replace("and not c", "and c"), "go1.25").observation == "Sometimes"
    assert ask(text, "go1.25").observation == "Never"


def test_a_panic_that_is_recovered_goes_on_after_the_block(ask: Ask) -> None:
    found = ask("threads main\n recover { say a; panic; say b }\n say c\nobserve order\nexists c")
    assert found.allowed == {"a@0 > c@0"}


def test_threads_that_wait_for_ever_are_a_deadlock(ask: Ask) -> None:
    found = ask("threads main | other\n wait f | block; raise f\nexists deadlock")
    assert found.allowed == {"deadlock"}
    assert found.observation == "Always"


def test_a_stale_descriptor_is_found_to_be_another_file(ask: Ask) -> None:
    found = ask("""
        global fd
        heap { fd = open LOG }
        threads main                       | other
          close fd; d = open KEYS; read d  | read fd
        exists crash
        """)
    assert "crash: read of LOG meets KEYS; leak KEYS" not in found.allowed
    assert {"crash: read of LOG meets KEYS", "crash: read of LOG after close"} < found.allowed


def test_a_registry_keyed_by_address_mistakes_a_new_object_for_an_old_one(ask: Ask) -> None:
    found = ask("""
        global v
        heap { main.go = A }
        threads main
          p = new B; p.mem = malloc M; register p p.mem; drop p
          gc
          scan
          gc
        forbidden leak
        """)
    assert found.verdict is Verdict.HOLDS


def test_once_is_done_once_and_the_second_waits(ask: Ask) -> None:
    found = ask("""
        global g
        heap { g = A; A.mem = malloc M }
        threads one                     | two
          once g.closed { free g.mem }  | once g.closed { free g.mem }
        forbidden crash or leak
        """)
    assert found.verdict is Verdict.HOLDS
    assert found.allowed == {"exit"}


def test_making_more_copies_than_the_bound_is_unfinished(ask: Ask) -> None:
    found = ask("""
        global g
        heap { finalizer A f }
        func f(a) { p = new B; p.next = g; g = p; finalizer a f }
        threads main
          cycle 5
        forbidden deadlock
        """)
    assert found.verdict is Verdict.UNFINISHED
    assert found.why_unfinished == "unfinished: more than 4 of B"


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        ("recover { once p.c { panic } }; once p.c { say again }", "none"),
        ("recover { once p.c { once p.d { panic } } }; once p.c { say again }; once p.d { say again }", "none"),
        ("once p.c { recover { panic }; say on }", "on@0"),
        ("recover { once g.c { say never } }; say on", "on@0"),
        ("once p.c { once p.d { x = g.c2 } }", "none; panic: nil dereference"),
        ("q = p; once q.c { drop q }; once p.c { say again }", "none"),
    ],
    ids=["a panic", "two levels", "recovered inside", "of nil", "not recovered", "the variable is set meanwhile"],
)
def test_what_is_left_by_a_panic_is_done_once_all_the_same(ask: Ask, body: str, allowed: str) -> None:
    found = ask(f"global g\nheap {{ main.p = A }}\nthreads main\n  {body}\nobserve events\nexists deadlock")
    assert found.allowed == {allowed}


def test_what_goexit_leaves_is_done_once_for_the_others(ask: Ask) -> None:
    found = ask("""
        heap { main.p = A; other.p = A }
        threads main                 | other
          once p.c { raise r; goexit } | wait r; once p.c { say again }; say end
        observe events
        exists deadlock
        """)
    assert found.allowed == {"end@0"}


def test_a_scan_frees_what_is_registered_of_an_object_whose_finalizer_is_queued(ask: Ask) -> None:
    found = ask("""
        global kept
        heap { W.mem = malloc M; main.w = W; finalizer W f }
        func f(w) { kept = w }
        threads main
          register w w.mem; drop w; cycle; scan
        observe events kept
        exists leak
        """)
    assert found.allowed == {"f@1; kept=W"}


def test_the_number_of_a_cycle_may_be_large(ask: Ask) -> None:
    found = ask("""
        heap { finalizer A again }
        func again(a) { finalizer a again }
        threads main
          cycle 200; cycle 200
        exists again@400 and again times 400
        """)
    assert found.verdict is Verdict.HOLDS


@pytest.mark.parametrize(("procs", "held_back", "passed"), [(2, "Sometimes", "Never"), (8, "Sometimes", "Sometimes")])
def test_a_blocked_cleanup_may_hold_others_back_also_where_there_may_be_several_goroutines(
    ask: Ask, procs: int, held_back: str, passed: str
) -> None:
    text = f"procs {procs}\nheap {{ cleanup A stuck; cleanup B c }}\nfunc stuck() {{ block }}\nfunc c() {{}}\n"
    assert ask(f"{text}threads main\n  cycle\nexists stuck and not c").observation == held_back
    assert ask(f"{text}threads main\n  cycle\nexists stuck before c").observation == passed


@pytest.mark.parametrize(("rules", "allowed"), [("go1.21", "after@0"), ("go1.22", "accepted@0 after@0")])
def test_to_pin_nil_panics_in_the_oldest_only(ask: Ask, rules: str, allowed: str) -> None:
    text = "threads main\n p = nil; recover { pin p; say accepted }; say after\nobserve events\nexists after"
    assert ask(text, rules).allowed == {allowed}
