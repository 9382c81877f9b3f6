"""What finalizers cost: a full collection with 100,000 armed objects, arming one, and finding and running one.

Each subject runs in a process of its own, the subjects take turns, and what is told is the median of CPU time, so that
a busy machine changes little. ``python -m benchmarks.bench_finalizers [--objects N] [--rounds N]``.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import statistics
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from typing import Any

import tenure
from tenure.runtime import finalizers

COLLECTIONS = 7

Figures = dict[str, float]


class Thing:
    """What is finalized."""

    __slots__ = ("__weakref__", "value")

    def __init__(self, value: object) -> None:
        self.value = value


def nothing(obj: object) -> None:
    pass


def plain(objects: list[Thing]) -> Callable[[], object]:
    return lambda: None


def armed(objects: list[Thing]) -> Callable[[], object]:
    for obj in objects:
        tenure.set_finalizer(obj, nothing)
    return gc.collect


def finalize(objects: list[Thing]) -> Callable[[], object]:
    for obj in objects:
        weakref.finalize(obj, nothing, None)
    return lambda: None


SUBJECTS: dict[str, Callable[[list[Thing]], Callable[[], object]]] = {
    "plain": plain,
    "armed": armed,
    "weakref.finalize": finalize,
}


def cpu(work: Callable[[], object]) -> float:
    """Milliseconds of CPU time."""
    begin = time.process_time()
    work()
    return (time.process_time() - begin) * 1e3


def measure(subject: str, count: int) -> Figures:
    """One process's figures, in milliseconds for all objects together."""
    gc.disable()
    objects = [Thing([]) for _ in range(count)]  # each with something to shelter
    ends: list[Callable[[], object]] = []
    arming = cpu(lambda: ends.append(SUBJECTS[subject](objects)))
    in_callbacks = watch_callbacks()
    collecting = [cpu(gc.collect) for _ in range(COLLECTIONS)]
    figures = {
        "arm": arming,
        "collect": statistics.median(collecting),
        "of that in Python": statistics.median(in_callbacks) if in_callbacks else 0.0,
    }

    def end() -> None:
        objects.clear()
        ends[0]()
        tenure.drain()

    figures["find and run"] = cpu(end)
    return figures


def watch_callbacks() -> list[float]:
    """How long the callbacks take in each full collection; measured by standing in their place."""
    custody = finalizers._custody
    if custody._on_collection not in gc.callbacks:
        return []
    spent: list[float] = []
    original = custody._on_collection
    gc.callbacks.remove(original)

    def timed(phase: str, info: dict[str, int]) -> None:
        begin = time.thread_time()
        original(phase, info)
        took = (time.thread_time() - begin) * 1e3
        if phase == "start":
            spent.append(took)
        else:
            spent[-1] += took

    gc.callbacks.append(timed)
    return spent


def ask(subject: str, count: int) -> Figures:
    command = [sys.executable, __file__, "--subject", subject, "--objects", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def table(rounds: list[dict[str, Figures]], count: int) -> str:
    def median(subject: str, figure: str) -> float:
        return statistics.median(one[subject][figure] for one in rounds)

    per = 1e6 / count  # from milliseconds for all to nanoseconds for one
    lines = [f"{'':28}" + "".join(f"{subject:>18}" for subject in SUBJECTS)]
    for figure, unit, factor in (
        ("collect", "ms a full collection", 1.0),
        ("of that in Python", "ms of that in Python", 1.0),
        ("arm", "ns to arm one", per),
        ("find and run", "ns to find and run one", per),
    ):
        lines.append(f"{unit:28}" + "".join(f"{median(subject, figure) * factor:18.1f}" for subject in SUBJECTS))
    extra = median("armed", "collect") - median("plain", "collect")
    lines.append(f"{count:,} armed objects make a full collection {extra:.1f} ms longer")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--subject", choices=SUBJECTS, help=argparse.SUPPRESS)
    arguments: Any = parser.parse_args()
    if arguments.subject:
        print(json.dumps(measure(arguments.subject, arguments.objects)))
        return
    rounds = [{subject: ask(subject, arguments.objects) for subject in SUBJECTS} for _ in range(arguments.rounds)]
    print(f"Python {platform.python_version()}, {platform.machine()}, {arguments.objects:,} objects")
    print(table(rounds, arguments.objects))


if __name__ == "__main__":
    main()
