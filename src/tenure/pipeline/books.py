"""The books: what came in, what was done with it, what is open; numbers only, in no format and for no reader."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

import tenure

__all__ = ["Books", "locked_bytes", "resident_bytes"]

PAGE: Final = resource.getpagesize()
STATUS: Final = Path("/proc/self/status")
#: Up to 8 seconds, and more.
WAITS: Final = 25

Number = int | float


@dataclass
class Books:
    """Every counter of one server. Those that grow are written by whoever does the thing; ``gauges`` are asked.

    Invariant: an event is received, then sealed, then stored; at the end of a drained run all three are equal.
    """

    connections_opened: int = 0
    connections_closed: int = 0
    connections_refused: int = 0
    protocol_errors: int = 0
    stalled: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    batches: int = 0
    #: Seconds spent reading, sealing and collecting requests, all of them together.
    intake_seconds: float = 0.0
    stored: int = 0
    stored_bytes: int = 0
    frames: int = 0
    syncs: int = 0
    store_failures: int = 0
    windows_closed: int = 0
    commits: int = 0
    commits_put_off: int = 0
    gauges: dict[str, Callable[[], Number]] = field(default_factory=dict)
    #: How many batches were answered within 1, 2, 4, … microseconds and in no fewer; the last one takes what is left.
    waits: list[int] = field(default_factory=lambda: [0] * WAITS)

    def waited(self, seconds: float) -> None:
        """A batch was answered so long after it was read."""
        self.waits[min(int(seconds * 1e6).bit_length(), WAITS - 1)] += 1

    def wait(self, share: float) -> float:
        """Milliseconds within which this share of all batches was answered: at most that, at least half of it."""
        enough, seen = share * sum(self.waits), 0
        for number, count in enumerate(self.waits):
            seen += count
            if count and seen >= enough:
                return (1 << number) / 1000
        return 0.0

    def snapshot(self) -> dict[str, Number]:
        """Every number as it is now."""
        own = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name not in ("gauges", "waits")}
        own |= {"reply_p50_ms": self.wait(0.5), "reply_p99_ms": self.wait(0.99)}
        return own | {name: ask() for name, ask in self.gauges.items()} | _runtime() | _process()


def _runtime() -> dict[str, Number]:
    """What the ledger counts."""
    counts = tenure.ledger.counts()
    return {
        "handles_opened": counts.opened,
        "handles_closed": counts.closed,
        "handles_open": counts.open,
        "handles_abandoned": counts.abandoned,
    }


def _process() -> dict[str, Number]:
    """What the kernel counts for this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rss_bytes": resident_bytes(),
        "locked_bytes": locked_bytes(),
        "descriptors": len(os.listdir("/proc/self/fd")) - 1,
        "cpu_seconds": used.ru_utime + used.ru_stime,
    }


def resident_bytes() -> int:
    """Memory of this process that is in RAM."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * PAGE


def locked_bytes() -> int:
    """Memory of this process that may not be swapped out."""
    for line in STATUS.read_text("ascii", "replace").splitlines():
        if line.startswith("VmLck:"):
            return int(line.split()[1]) * 1024
    return 0
