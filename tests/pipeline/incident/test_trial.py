"""Each remedy meets its end as the story tells it, by a real signal or count, and the last comes through unharmed."""

from __future__ import annotations

import io
import signal
import subprocess
import sys

import pytest

from tenure.pipeline.incident import trial
from tenure.pipeline.incident.trial import Life, Outcome, try_remedy

# Enough for several rotations and looks at the log on each handler: what goes wrong then goes wrong every time.
REQUESTS = 4_000


def outcome_of(remedy: str) -> Outcome:
    return try_remedy(remedy, REQUESTS, 1, lambda remedy, served: None)


def test_a_finalizer_that_logs_its_object_crashes_on_a_guard_page() -> None:
    guarded, _ = outcome_of("finalizer").lives
    assert guarded.died == "SIGSEGV"
    assert "Segmentation fault" in guarded.first_line


def test_and_reads_somebody_elses_key_from_plain_memory() -> None:
    _, plain = outcome_of("finalizer").lives
    assert plain.wrong > 0


def test_close_with_a_naive_finalizer_behind_it_frees_twice() -> None:
    outcome = outcome_of("close+finalizer")
    assert outcome.crashes == 2
    assert outcome.total("double_frees") >= 1


def test_a_hand_kept_registry_leaks_what_was_forgotten() -> None:
    _, plain = outcome_of("registry").lives
    assert plain.died or plain.leaked > 0


def test_a_finalizer_that_panics_takes_the_service_down() -> None:
    outcome = outcome_of("refuse-if-cached")
    assert [life.died for life in outcome.lives] == ["SIGABRT", "SIGABRT"]
    assert outcome.first_line.startswith("panic: a key that stands in the log's ring is being freed")


def test_tenure_comes_through_with_nothing_wrong_and_what_was_forgotten_reported() -> None:
    outcome = outcome_of("tenure")
    assert [life.died for life in outcome.lives] == ["", ""]
    assert (outcome.total("double_frees"), outcome.total("leaked"), outcome.total("wrong")) == (0, 0, 0)
    assert outcome.total("reported") > 0
    assert outcome.total("opened") == outcome.total("closed")


def test_a_single_request_is_lived_through() -> None:
    outcome = try_remedy("tenure", 1, 1, lambda remedy, served: None)
    assert [(life.died, life.requests, life.grown) for life in outcome.lives] == [("", 1, 0.0)] * 2


def test_a_child_that_falls_silent_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "LIMIT", 0.5)
    hung = "print(1, flush=True); import time; time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", hung], stdout=subprocess.PIPE, text=True) as child:
        assert list(trial._lines(child)) == ["1\n"]
    assert child.returncode == -signal.SIGKILL


def test_a_remedy_that_never_lived_has_no_rate() -> None:
    outcome = Outcome("x", "y", [Life("plain", "SIGSEGV", "boom")])
    assert outcome.rate is None
    assert outcome.slope is None


@pytest.mark.parametrize(
    ("life", "frees"),
    [
        (Life("plain", "SIGABRT", "free(): double free detected in tcache 2"), 1),
        (Life("guarded", "SIGSEGV", "Fatal Python error · File memory.py, line 80 in _free"), 1),
        (Life("plain", "", "", opened=3, closed=5), 2),
        (Life("plain", "", "", opened=5, closed=3), 0),
    ],
)
def test_a_double_free_is_known_by_count_by_abort_or_by_guard_page(life: Life, frees: int) -> None:
    assert life.double_frees == frees


def test_of_a_traceback_the_exception_is_told_and_where_it_was_raised() -> None:
    errors = io.StringIO('Traceback (most recent call last):\n  File "/a/b/x.py", line 1, in f\n    g()\nOSError: no\n')
    assert trial.last_words(errors) == 'OSError: no · File "x.py", line 1, in f'
