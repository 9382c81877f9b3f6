"""The safety net: what nobody holds is reported with its line and released, by policy, at exit, after fork, quietly."""

from __future__ import annotations

import gc
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

import tenure
from tenure.errors import AbandonedHandle, ReleaseFailed, ResurrectedHandle, TenureWarning

from .conftest import Run

pytestmark = pytest.mark.usefixtures("leaks_are_reported")

Reports = list[TenureWarning]


@pytest.fixture
def policy() -> Any:
    """Set a policy for one test."""
    before = tenure.settings()
    yield tenure.configure
    tenure.configure(**before._asdict())


def test_an_abandoned_handle_is_released_and_reported_with_its_line(released: list[int], reports: Reports) -> None:
    tenure.own(7, release=released.append, kind="thing")
    tenure.drain()
    assert released == [7]
    (report,) = reports
    assert isinstance(report, AbandonedHandle)
    assert "thing handle 0x7 was never closed. Opened at " in str(report)
    assert "test_abandoned.py:" in str(report)
    assert " in test_an_abandoned_handle_is_released_and_reported_with_its_line. Released now." in str(report)


def test_a_site_is_reported_at_its_first_leak_and_at_powers_of_ten(released: list[int], reports: Reports) -> None:
    for number in range(100):
        tenure.own(number, release=released.append)
    tenure.drain()
    assert sorted(released) == list(range(100))
    ordinals = [re.findall(r"It is the (\d+)th from that line", str(report)) for report in reports]
    assert ordinals == [[], ["10"], ["100"]]


def test_a_handle_in_a_cycle_is_found_by_the_collector(released: list[int], reports: Reports) -> None:
    class Node:
        def __init__(self) -> None:
            self.handle = tenure.own(3, release=released.append)
            self.me = self

    Node()
    gc.collect()
    tenure.drain()
    assert released == [3]
    assert len(reports) == 1


def test_a_release_runs_on_the_release_thread_never_in_the_collector(reports: Reports) -> None:
    where: list[str] = []
    tenure.own(1, release=lambda token: where.append(threading.current_thread().name))
    tenure.drain()
    assert where == ["tenure-release"]


def test_a_release_may_take_a_lock_that_the_abandoning_thread_holds(reports: Reports) -> None:
    lock, done = threading.Lock(), threading.Event()

    def release(token: int) -> None:
        with lock:
            done.set()

    with lock:
        tenure.own(1, release=release)
    assert done.wait(30)


def test_report_only_reports_and_does_not_release(
    policy: Callable[..., Any], released: list[int], reports: Reports
) -> None:
    policy(leak="report-only")
    before = tenure.ledger.counts()
    tenure.own(1, release=released.append)
    tenure.drain()
    assert released == []
    assert "It is not released, as configured." in str(reports[0])
    assert tenure.ledger.counts().disowned == before.disowned + 1


def test_off_releases_without_a_word(policy: Callable[..., Any], released: list[int], reports: Reports) -> None:
    policy(leak="off")
    tenure.own(1, release=released.append)
    tenure.drain()
    assert released == [1]
    assert reports == []


def test_raise_raises_from_the_next_drain(policy: Callable[..., Any], released: list[int], reports: Reports) -> None:
    policy(leak="raise")
    tenure.own(1, release=released.append)
    with pytest.raises(AbandonedHandle, match="handle 0x1 was never closed"):
        tenure.drain()
    assert released == [1]
    tenure.drain()


def test_raise_raises_several_together(policy: Callable[..., Any], released: list[int], reports: Reports) -> None:
    policy(leak="raise")
    for number in range(3):
        tenure.own(number, release=released.append)
    with pytest.raises(ExceptionGroup) as caught:
        tenure.drain()
    assert len(caught.value.exceptions) == 3


def test_a_release_that_raises_is_reported_with_its_line(reports: Reports) -> None:
    def release(token: int) -> None:
        raise OSError("the peer is gone")

    tenure.own(4, release=release)
    tenure.drain()
    _, failed = reports
    assert isinstance(failed, ReleaseFailed)
    assert "release handle 0x4 failed: OSError: the peer is gone. Opened at" in str(failed)


def test_a_release_that_raises_does_not_stop_the_ones_behind_it(released: list[int], reports: Reports) -> None:
    def release(token: int) -> None:
        raise OSError

    tenure.own(1, release=release)
    tenure.own(2, release=released.append)
    tenure.drain()
    assert released == [2]


def test_a_confined_release_is_handed_to_its_thread(released: list[int], reports: Reports) -> None:
    handed: list[Callable[[], object]] = []
    tenure.own(1, release=released.append, via=handed.append)
    tenure.drain()
    assert released == []
    handed.pop()()
    assert released == [1]


def test_a_confined_release_whose_thread_takes_nothing_more_is_reported(reports: Reports) -> None:
    def via(job: object) -> None:
        raise RuntimeError("Event loop is closed")

    handle = tenure.own(1, release=print, via=via)
    del handle
    tenure.drain()
    assert "Event loop is closed" in str(reports[-1])
    tenure.ledger.snapshot()


def test_a_child_and_its_parent_abandoned_together_are_released_child_first(
    released: list[int], reports: Reports
) -> None:
    def child_of_a_temporary() -> None:
        parent = tenure.own(1, release=released.append)
        child = tenure.own(2, release=released.append, parent=parent)
        cycle: list[Any] = [parent, child]
        cycle.append(cycle)

    child_of_a_temporary()
    gc.collect()
    tenure.drain()
    tenure.drain()  # the parent's remains come after the child's
    assert released == [2, 1]


ring: list[object] = []


def test_a_resurrected_handle_is_closed_and_its_holder_named(released: list[int], reports: Reports) -> None:
    class Logged:
        def __init__(self) -> None:
            self.handle = tenure.own(9, release=released.append)
            self.me = self

        def __del__(self) -> None:
            ring.append(self)

    Logged()
    gc.collect()
    tenure.drain()
    tenure.drain()
    revived = ring.pop()
    assert isinstance(revived, Logged)
    with pytest.raises(tenure.errors.ClosedHandle, match="closed at the moment nobody held it any more"):
        revived.handle.lease()
    assert released == [9]
    (report,) = [report for report in reports if isinstance(report, ResurrectedHandle)]
    assert "ring[0].handle" in str(report)


def test_exit_reports_once_for_each_line_and_releases_newest_first(run: Run) -> None:
    result = run(
        """
        import tenure
        kept = [tenure.own(n, release=print, kind="thing") for n in (1, 2, 3)]
        """
    )
    assert result.stdout.split() == ["3", "2", "1"]
    assert result.stderr.count("OpenAtExit") == 1
    assert "thing handle 0x3 was still open at exit. Opened at <string>:3 in <listcomp>" in result.stderr or (
        "thing handle 0x3 was still open at exit. Opened at <string>:3 in <module>" in result.stderr
    )
    assert "2 more from that line." in result.stderr
    assert result.returncode == 0


def test_exit_releases_children_before_parents_and_nothing_under_a_lease(run: Run) -> None:
    result = run(
        """
        import tenure
        parent = tenure.own(1, release=print)
        child = tenure.own(2, release=print, parent=parent)
        used = tenure.own(3, release=print, kind="used")
        lease = used.lease()
        """
    )
    assert result.stdout.split() == ["2", "1"]
    assert "used handle 0x3 was still open at exit." in result.stderr
    assert "It is in use, and not released." in result.stderr
    assert result.returncode == 0


def test_exit_is_quiet_when_nothing_is_open(run: Run) -> None:
    result = run("import tenure; tenure.own(1, release=print).close()")
    assert (result.stdout, result.stderr, result.returncode) == ("1\n", "", 0)


def test_exit_does_not_wait_for_ever_for_a_release_that_hangs(run: Run) -> None:
    result = run(
        """
        import threading, tenure
        from tenure.runtime import abandoned
        abandoned.PATIENCE_AT_EXIT = 0.1
        started = threading.Event()
        def hang(token):
            started.set()
            threading.Event().wait()
        tenure.own(1, release=hang)
        started.wait(30)
        kept = tenure.own(2, release=print)
        """
    )
    assert result.stdout == "2\n"
    assert result.returncode == 0


def test_a_leak_is_shown_under_the_default_filters(run: Run) -> None:
    result = run("import tenure; tenure.own(1, release=int); tenure.drain()")
    assert "AbandonedHandle: int handle 0x1 was never closed" in result.stderr


def test_a_filter_that_makes_it_an_error_is_obeyed(run: Run) -> None:
    result = run(
        """
        import tenure
        tenure.own(1, release=int)
        try:
            tenure.drain()
        except tenure.errors.AbandonedHandle as error:
            print("raised", error.which)
        """,
        "-W",
        "error",
    )
    assert result.stdout == "raised int handle 0x1\n"


def test_a_forked_child_owns_nothing_and_releases_nothing_of_its_parents(run: Run) -> None:
    result = run(
        """
        import os, sys, tenure
        kept = tenure.own(1, release=lambda token: print("released", token, "in", role, flush=True), kind="session")
        role = "parent"
        if os.fork() == 0:
            role = "child"
            try:
                kept.lease()
            except tenure.errors.DisownedHandle as error:
                print(error, flush=True)
            kept.close()
            print(tenure.ledger.counts().open, kept.state.name, flush=True)
            own = tenure.own(2, release=lambda token: print("released", token, "in", role, flush=True))
            del own
            tenure.drain()
            sys.exit()
        os.wait()
        kept.close()
        """
    )
    lines = result.stdout.splitlines()
    assert lines[0].startswith("session handle belongs to process ")
    assert lines[0].endswith("this process inherited a copy by fork. Open its own after the fork.")
    assert lines[1:] == ["0 CLOSED", "released 2 in child", "released 1 in parent"]


def test_no_thread_is_started_and_nothing_registered_by_the_import(run: Run) -> None:
    result = run(
        """
        import sys, threading, atexit
        import tenure
        print(threading.active_count(), atexit._ncallbacks(), "tenure.runtime" in sys.modules)
        """
    )
    assert result.stdout == "1 0 False\n"


def test_a_child_interpreter_drains_by_itself(run: Run) -> None:
    result = run(
        """
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        program = '''
        import tenure
        tenure.own(1, release=lambda token: print("released", token, flush=True))
        tenure.own(2, release=lambda token: print("released", token, flush=True)).close()
        kept = tenure.own(3, release=lambda token: print("released", token, flush=True))
        '''.replace("\\n        ", "\\n")
        interpreter = interpreters.create()
        run = interpreters.run_string if hasattr(interpreters, "run_string") else interpreters.exec
        run(interpreter, program)
        interpreters.destroy(interpreter)
        print("destroyed")
        """
    )
    assert sorted(result.stdout.splitlines()) == ["destroyed", "released 1", "released 2", "released 3"], result.stderr


def test_a_parent_abandoned_with_its_child_is_not_taken_for_resurrected(released: list[int], reports: Reports) -> None:
    parent: tenure.Handle[int] = tenure.own(1, release=released.append)
    child: tenure.Handle[int] = tenure.own(2, release=released.append, parent=parent)
    cycle: list[object] = [parent, child]
    cycle.append(cycle)
    del parent, child, cycle
    gc.collect()
    tenure.drain()
    tenure.drain()
    assert released == [2, 1]
    assert {type(report) for report in reports} == {AbandonedHandle}


def test_two_threads_that_open_their_first_handle_at_once_start_one_release_thread(run: Run) -> None:
    """The first is held up while it starts that thread, until the second has opened its handle or cannot."""
    done = run(
        """
        import threading, tenure
        second_has_opened, first_is_starting = threading.Event(), threading.Event()

        class Slow(threading.Thread):
            def __init__(self, *args, **options):
                super().__init__(*args, **options)
                if self.name == "tenure-release":
                    first_is_starting.set()
                    second_has_opened.wait(0.3)

        def second():
            first_is_starting.wait()
            tenure.own(2, release=int).close()
            second_has_opened.set()

        threading.Thread = Slow
        other = threading.Thread(target=second)
        other.start()
        tenure.own(1, release=int).close()
        other.join()
        print([thread.name for thread in threading.enumerate()].count("tenure-release"))
        """
    )
    assert (done.stdout, done.returncode) == ("1\n", 0), done.stderr
