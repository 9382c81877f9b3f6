"""A job that lasts is complained of after a while, again when twice the time has passed, and not once it has ended."""

from __future__ import annotations

import threading

import pytest

from tenure.runtime.patience import Patience, Underway


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Complaints:
    """A patience, its clock, and what it complained of."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.heard: list[tuple[str, float]] = []
        self.patience = Patience(self._hear, after=10.0, clock=self.clock)

    def _hear(self, underway: Underway, seconds: float) -> None:
        self.heard.append((underway.what(), seconds))

    def after(self, seconds: float) -> float | None:
        self.clock.now = 100.0 + seconds
        return self.patience.look()


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


def test_nothing_under_way_is_nothing_to_wait_for(complaints: Complaints) -> None:
    assert complaints.after(1000) is None
    assert complaints.heard == []


def test_a_quick_job_is_not_complained_of(complaints: Complaints) -> None:
    complaints.patience.begin(lambda: "a", None)
    assert complaints.after(4) == 6
    complaints.patience.end()
    assert complaints.after(1000) is None
    assert complaints.heard == []


def test_a_slow_job_is_complained_of_each_time_twice_as_late(complaints: Complaints) -> None:
    complaints.patience.begin(lambda: "a", None)
    assert complaints.after(10) == 10
    assert complaints.after(19) == 1
    assert complaints.after(20) == 20
    assert complaints.heard == [("a", 10), ("a", 20)]


def test_the_next_job_starts_with_fresh_patience(complaints: Complaints) -> None:
    complaints.patience.begin(lambda: "a", None)
    complaints.after(10)
    complaints.patience.end()
    complaints.patience.begin(lambda: "a", None)
    assert complaints.after(19) == 1
    assert complaints.after(20) == 10
    assert complaints.heard == [("a", 10), ("a", 10)]


def test_the_thread_complains_while_the_job_still_runs() -> None:
    heard = threading.Event()
    told: list[str] = []

    def hear(underway: Underway, seconds: float) -> None:
        told.append(underway.what())
        heard.set()

    patience = Patience(hear, after=0.01)
    patience.start()
    patience.start()
    patience.begin(lambda: "the slow one", None)
    assert heard.wait(30)
    patience.end()
    assert told[0] == "the slow one"
    patience.stop()
    patience.stop()


@pytest.mark.parametrize("busy", [False, True])
def test_the_thread_ends_when_it_is_told_to(busy: bool) -> None:
    patience = Patience(lambda underway, seconds: None)
    patience.start()
    thread = patience._thread
    assert thread is not None
    if busy:
        patience.begin(lambda: "long", None)
    patience.stop()
    assert not thread.is_alive()


def test_where_no_thread_can_be_had_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("daemon threads are disabled in this interpreter")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    patience = Patience(lambda underway, seconds: None)
    patience.start()
    assert patience._thread is None
