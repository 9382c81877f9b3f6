"""How far a search may go; reaching a bound makes the verdict *unfinished*, never a pass."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Bounds", "Machine", "Meter"]

_MEGABYTE = 1 << 20


class Meter(Protocol):
    """Where time and memory are read; a test brings its own."""

    def seconds(self) -> float:
        """A clock that never goes back."""

    def megabytes(self) -> float:
        """What the process holds now."""


class Machine:
    """The meter of the machine we run on."""

    def seconds(self) -> float:
        """The monotonic clock."""
        return time.monotonic()

    def megabytes(self) -> float:
        """Resident memory of this process (Linux)."""
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE


@dataclass(frozen=True, slots=True)
class Bounds:
    """The most that a search may visit and use; ``None`` is no bound."""

    states: int | None = 10_000_000
    seconds: float | None = None
    megabytes: float | None = None  #: of the whole process
    depth: int | None = None  #: steps from a start

    def reached(self, states: int, seconds: float, meter: Meter) -> str | None:
        """Which bound has been reached, in words; looked at between batches of states, not at every state."""
        if self.states is not None and states >= self.states:
            return f"the bound of {self.states:,} states"
        if self.seconds is not None and seconds >= self.seconds:
            return f"the bound of {self.seconds:g} seconds"
        if self.megabytes is not None and meter.megabytes() >= self.megabytes:
            return f"the bound of {self.megabytes:g} MB of memory"
        return None
