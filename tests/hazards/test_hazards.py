"""Every hazard is survived, with its report and balanced books; and it happens when the protecting line is out."""

from __future__ import annotations

import re

import pytest
from tests.hazards.conftest import Run, only_once
from tests.hazards.hazard import BUILDS, HAZARDS, Hazard, marked

NOISE = re.compile(r"Traceback|Exception ignored|AddressSanitizer|Fatal|ReleaseFailed")
REPORT = re.compile(r"[A-Z]\w+(Handle|AtExit): \S+ handle")


PROTECTED = [(hazard, build) for hazard in HAZARDS for build in BUILDS]
BARE = [(hazard, build) for hazard in HAZARDS for build in hazard.bare]


def named(it: Hazard | str) -> str:
    return it if isinstance(it, str) else it.name


@pytest.mark.parametrize(("hazard", "build"), PROTECTED, ids=named)
def test_it_is_survived(hazard: Hazard, build: str, run: Run) -> None:
    outcome = run(hazard.module, hazard.function, "protected", *hazard.more, build=build)
    assert outcome.status == 0, outcome.told
    assert re.search(hazard.says, outcome.out), outcome.told
    if hazard.reports:
        line = marked(hazard.module) if "{line}" in hazard.reports else ""
        assert re.search(hazard.reports.replace("{line}", line), outcome.err), outcome.told
    else:
        assert not REPORT.search(outcome.err), outcome.told
    assert not NOISE.search(outcome.err), outcome.told
    assert ("ResurrectedHandle" in outcome.err) == ("ResurrectedHandle" in hazard.reports), outcome.told
    if hazard.balanced:
        opened, closed = outcome.books
        assert opened == closed, outcome.told


@only_once
@pytest.mark.parametrize(("hazard", "build"), BARE, ids=named)
def test_it_happens_without_the_line_that_protects(hazard: Hazard, build: str, run: Run) -> None:
    outcome = run(hazard.module, hazard.function, "bare", *hazard.more, build=build)
    assert re.search(hazard.bare[build], outcome.told), outcome.told


@pytest.mark.parametrize("how", ["try", "with", "lease"])
def test_no_interrupt_falls_between_acquired_and_owned(how: str, run: Run, impl: str) -> None:
    outcome = run("signal_gap", "gap", "protected", how, build="malloc")
    assert outcome.status == 0, outcome.told
    hits, swallowed, live = map(int, re.findall(r"hits (\d+) swallowed (\d+) live (\d+)", outcome.out)[0])
    assert hits == 4000, outcome.told
    # A finalizer in Python can itself be interrupted, at its first instruction; one in C cannot.
    assert live <= (swallowed if impl == "pure" else 0), outcome.told


@only_once
@pytest.mark.parametrize("how", ["try", "with"])
def test_interrupts_lose_what_is_acquired_without_an_owner(how: str, run: Run) -> None:
    outcome = run("signal_gap", "gap", "bare", how, build="malloc")
    (live,) = re.findall(r"live (\d+)", outcome.out)
    assert int(live) > 0, outcome.told


def test_a_forked_child_is_told_whose_the_handle_is(run: Run) -> None:
    outcome = run("forked", "misuse", "protected")
    assert re.search(
        r"refused: hz_close handle( 0x\w+)? belongs to process \d+, which opened it at .*forked", outcome.out
    )


def test_another_thread_is_told_where_the_handle_belongs(run: Run) -> None:
    outcome = run("wrong_thread", "misuse", "protected")
    assert re.search(r"refused: cannot close hz_close handle .* on thread 'stranger'.*'MainThread'", outcome.out)
    assert outcome.books == (1, 1), outcome.told


def test_a_thread_that_a_release_wants_at_exit_runs_or_is_reported(run: Run) -> None:
    outcome = run("shutdown", "starts_a_thread", "protected")
    assert outcome.status == 0, outcome.told
    assert "ran in a thread" in outcome.out or "ReleaseFailed" in outcome.err, outcome.told
    assert outcome.books == (1, 1), outcome.told


@only_once
def test_without_the_exit_hook_that_thread_neither_runs_nor_is_reported(run: Run) -> None:
    outcome = run("shutdown", "starts_a_thread", "bare")
    assert "ran in a thread" not in outcome.out, outcome.told
