"""What becomes of finalizers at exit, in a forked child and in a sub-interpreter; each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import textwrap

SETTING = """
import gc, os, sys, threading, warnings
gc.disable()
import tenure

class Thing:
    other = None

def tell(obj):
    os.write(1, b"ran ")
"""


def outcome(script: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a program of its own."""
    program = SETTING + textwrap.dedent(script)
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_what_is_armed_at_exit_does_not_run() -> None:
    script = """
        kept = Thing()
        tenure.set_finalizer(kept, tell)
        tenure.set_finalizer(Thing(), tell)
    """
    assert outcome(script) == (0, "", "")


def test_a_collection_at_exit_finds_nothing() -> None:
    script = """
        import atexit
        atexit.register(tenure.drain)
        atexit.register(gc.collect)      # both run after what the first registration sets up for exit
        tenure.set_finalizer(Thing(), tell)
    """
    assert outcome(script) == (0, "", "")


def test_what_is_queued_at_exit_runs() -> None:
    script = """
        gate = threading.Event()
        tenure.set_finalizer(Thing(), lambda obj: gate.wait())
        tenure.set_finalizer(Thing(), tell)
        tenure.set_finalizer(Thing(), tell)
        gc.collect()
        gate.set()
    """
    assert outcome(script) == (0, "ran ran ", "")


def test_a_failure_at_exit_is_reported() -> None:
    script = """
        def fail(obj):
            raise LookupError("too late")
        tenure.set_finalizer(Thing(), fail)
        gc.collect()
    """
    status, _, errors = outcome(script)
    assert status == 0
    assert "FinalizerFailed: the finalizer of Thing object" in errors
    assert "LookupError: too late" in errors


def test_without_a_frozen_heap_it_is_the_same() -> None:
    """The other tests freeze the test runner's heap, which is a path of its own."""
    script = """
        gc.unfreeze()
        assert gc.get_freeze_count() == 0
        outer, kept = Thing(), Thing()
        outer.other = inner = Thing()
        ring = Thing()
        ring.other = ring
        for thing in (outer, inner, ring, kept):
            tenure.set_finalizer(thing, tell)
        del outer, inner, ring, thing
        for _ in range(3):
            gc.collect()
            tenure.drain()
            print(tenure.finalizers.armed(), end=" ", flush=True)
    """
    assert outcome(script) == (0, "ran ran 2 ran 1 1 ", "")


def test_the_child_runs_nothing_of_its_parents() -> None:
    script = """
        gate = threading.Event()
        tenure.set_finalizer(Thing(), lambda obj: gate.wait())
        gc.collect()                                  # the release thread is busy with it
        tenure.set_finalizer(Thing(), tell)
        gc.collect()                                  # queued behind it
        kept = Thing()
        tenure.set_finalizer(kept, tell)              # armed
        tenure.set_finalizer(Thing(), tell)           # armed, and unreachable
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
        if child == 0:
            assert tenure.finalizers.armed() == 0
            assert tenure.finalizers.history(kept) == ()
            del kept
            gc.collect()
            tenure.drain()
            os.write(1, b"child ran nothing; ")
            tenure.set_finalizer(Thing(), tell)       # its own
            gc.collect()
            tenure.drain()
            os._exit(0)
        os.waitpid(child, 0)
        os.write(1, b"| parent ")
        gate.set()
        del kept
        gc.collect()
        tenure.drain()
    """
    assert outcome(script) == (0, "child ran nothing; ran | parent ran ran ran ", "")


INTERPRETERS = "_xxsubinterpreters" if sys.version_info < (3, 13) else "_interpreters"


def test_a_subinterpreter_runs_its_own_and_exits_quietly() -> None:
    inside = """
import gc, os
import tenure
class Thing: pass
def tell(obj):
    os.write(1, b"ran ")
tenure.set_finalizer(Thing(), tell)
kept = Thing()
tenure.set_finalizer(kept, tell)
gc.collect()
tenure.drain()
"""
    script = f"""
        import {INTERPRETERS} as interpreters
        tenure.set_finalizer(Thing(), tell)
        inner = interpreters.create()
        failed = interpreters.run_string(inner, {inside!r})
        assert failed is None, failed
        interpreters.destroy(inner)
        os.write(1, b"| ")
        gc.collect()
        tenure.drain()
    """
    assert outcome(script) == (0, "ran | ran ", "")


def test_where_no_thread_can_be_had_the_next_registration_drains() -> None:
    script = """
        def refuse(*args, **kwargs):
            raise RuntimeError("daemon threads are disabled in this interpreter")
        threading.Thread.start = refuse
        tenure.set_finalizer(Thing(), tell)
        gc.collect()
        os.write(1, b"queued ")
        kept = Thing()
        tenure.set_finalizer(kept, tell)
        os.write(1, b"registered ")
        tenure.set_finalizer(Thing(), tell)
        gc.collect()
    """
    assert outcome(script) == (0, "queued ran registered ran ", "")
