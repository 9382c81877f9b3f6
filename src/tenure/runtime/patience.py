"""Notices when one job keeps everything behind it waiting, and says so while it lasts.

The release thread runs one job after the other, so it cannot watch itself. ``Patience`` is told when a job begins and
ends, and a thread of its own looks at the clock. It sleeps while nothing runs, and costs a job next to nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Patience", "Underway"]


class Underway(NamedTuple):
    """A job that has begun."""

    what: Callable[[], str]  # asked only when somebody is to be told
    site: object
    since: float


class Patience:
    """One job at a time, and how long it may take before ``complain`` hears of it: each time twice as long."""

    def __init__(
        self,
        complain: Callable[[Underway, float], None],
        after: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.after = after  #: seconds
        self._complain, self._clock = complain, clock
        self._underway: Underway | None = None
        self._told: tuple[Underway | None, float] = (None, 0.0)
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Have a thread that watches; where none can be had, nobody does."""
        if self._thread is not None:
            return
        try:
            thread = threading.Thread(target=self._watch, name="tenure-patience", daemon=True)
            thread.start()
        except RuntimeError:  # a sub-interpreter that forbids such threads
            return
        self._thread = thread

    def stop(self) -> None:
        """End the thread; a sub-interpreter cannot end before its threads have."""
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def begin(self, what: Callable[[], str], site: object) -> None:
        """A job begins."""
        # Invariant: it is written before the event is asked, as the thread does the reverse before it sleeps.
        self._underway = Underway(what, site, self._clock())
        if not self._wake.is_set():
            self._wake.set()

    def end(self) -> None:
        """It has ended."""
        self._underway = None

    def look(self) -> float | None:
        """Complain if it is time to; the seconds until it will be, or ``None`` if nothing is under way."""
        underway = self._underway
        if underway is None:
            return None
        due = self._told[1] if self._told[0] is underway else self.after
        lasted = self._clock() - underway.since
        if lasted >= due:
            due = max(2 * due, 2 * lasted)
            self._told = (underway, due)
            self._complain(underway, lasted)
        return due - lasted

    def _watch(self) -> None:
        while not self._stopped.is_set():
            pause = self.look()
            if pause is not None:
                self._stopped.wait(pause)
                continue
            self._wake.clear()
            if self._underway is None and not self._stopped.is_set():
                self._wake.wait()
