"""One run of the load under one remedy, in a process of its own, which may die of it and says how far it came."""

from __future__ import annotations

import faulthandler
import gc
import json
import sys
import warnings
from pathlib import Path

import tenure
from tenure.pipeline.incident.load import Load, Tally
from tenure.pipeline.incident.memory import MEMORIES, Memory
from tenure.pipeline.incident.remedies import REMEDIES

__all__ = ["main", "rss", "say"]


def main(remedy: str, memory: str, requests: str) -> None:
    """Run, and say after every tenth of a second what was seen so far."""
    faulthandler.enable()
    warnings.simplefilter("ignore", tenure.errors.TenureWarning)  # reports are counted in the ledger
    keys = MEMORIES[memory]()
    load = Load(REMEDIES[remedy][1], keys, int(requests))
    marks: list[tuple[int, int]] = []  # requests and resident bytes, from a quarter of the way on

    def progress(tally: Tally) -> None:
        say(tally, keys)
        if tally.requests > int(requests) // 4:
            marks.append((tally.requests, rss()))

    seconds = load.run(progress)
    load.finish()
    gc.collect()
    tenure.drain()
    marks.append((load.tally.requests, rss()))
    (first, least), (last, most) = marks[0], marks[-1]
    grown = (most - least) / (last - first) if last > first else 0.0
    say(load.tally, keys, seconds=seconds, grown=grown, reported=tenure.ledger.counts().abandoned)


def say(tally: Tally, memory: Memory, **more: float) -> None:
    """A line of what is known now."""
    counts = {"requests": tally.requests, "refused": tally.refused, "wrong": tally.wrong}
    print(json.dumps({**counts, "opened": memory.opened, "closed": memory.closed, **more}), flush=True)


def rss() -> int:
    """Resident bytes of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


if __name__ == "__main__":
    main(*sys.argv[1:])
