"""Processes that share the work do it in order, and end with the one that shared it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from tenure.check.sharing import WorkerFailed, WorkerLost, shared


def squared(number: int) -> int:
    return number * number


def killed(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_results_come_in_the_order_of_their_tasks() -> None:
    assert list(shared(squared, range(20), 3)) == [number * number for number in range(20)]


def failed(number: int) -> int:
    return 1 // number


def test_no_more_work_at_a_time_than_was_asked_for() -> None:
    results = shared(squared, range(9), 2)
    before = set(multiprocessing.active_children())
    for _ in results:
        assert len(set(multiprocessing.active_children()) - before) <= 2


def test_what_goes_wrong_there_is_told_with_its_traceback() -> None:
    with pytest.raises(WorkerFailed, match=r"(?s)Traceback.*in failed.*ZeroDivisionError"):
        list(shared(failed, range(2), 2))


def test_a_process_that_is_ended_from_outside_is_told() -> None:
    with pytest.raises(WorkerLost, match=r"was ended from outside .*--jobs 1"):
        list(shared(killed, range(2), 2))


def test_nobody_works_on_when_nobody_wants_the_rest() -> None:
    before = set(multiprocessing.active_children())
    results = shared(squared, range(50), 2)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]
    assert set(multiprocessing.active_children()) == before


def test_an_interrupt_of_all_of_them_ends_all_of_them() -> None:
    """As on a terminal, where Ctrl-C reaches the whole group at once."""
    program = textwrap.dedent("""
        import os, signal, sys, time
        from tenure.check.sharing import shared

        def slow(number):
            os.write(1, b"at work\\n")
            time.sleep(600)

        if __name__ == "__main__":
            signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
            try:
                list(shared(slow, range(4), 2))
            except KeyboardInterrupt:
                sys.exit(7)
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as running:
        assert running.stdout is not None
        begun = [running.stdout.readline() for _ in range(2)]
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate()  # ends only when every process that has the pipes has ended
    assert begun == [b"at work\n"] * 2
    assert (running.returncode, out, err) == (7, b"", b"")
