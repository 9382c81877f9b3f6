"""Many random tests held against one Go toolchain, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tenure.golang.fuzz import random_test
from tenure.golang.oracle import Comparison, as_lines, compare
from tenure.golang.printer import text_of
from tenure.golang.rules import RULES
from tenure.golang.shrink import shrunk
from tenure.golang.syntax import Litmus
from tenure.golang.toolchain import Toolchain

__all__ = ["Report", "campaign"]

#: How many tests are compiled into one program.
_BATCH: Final = 200

#: How many disagreements are made smaller: each takes a minute or so.
_SHRUNK: Final = 3


@dataclass
class Report:
    """What a campaign has found so far."""

    version: str
    seed: int
    programs: int = 0
    runs: int = 0
    hasty: list[Comparison] = field(default_factory=list)  #: those that are as allowed with longer waits only
    open_ended: int = 0  #: programs of which more than one outcome is allowed
    disagreements: list[Comparison] = field(default_factory=list)

    def lines(self) -> list[str]:
        """The report to read; each disagreement with its smallest program."""
        found = [line for one in self.hasty for line in as_lines(one)]
        found += [line for one in self.disagreements for line in (*as_lines(one), text_of(one.test))]
        return [
            f"go {self.version}, seed {self.seed}: {self.programs} programs, {self.runs} runs, "
            f"{self.open_ended} programs with more than one allowed outcome, "
            f"{len(self.hasty)} seen again with longer waits, {len(self.disagreements)} disagreements",
            *found,
        ]


def campaign(
    toolchain: Toolchain,
    many: int,
    seed: int,
    times: int,
    progress: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Hold ``many`` random tests against ``toolchain``, each run ``times`` times."""
    report = Report(toolchain.version, seed)
    newer = RULES[toolchain.rules].cleanups
    for first in range(seed, seed + many, _BATCH):
        tests = [random_test(number, newer) for number in range(first, min(first + _BATCH, seed + many))]
        _add(report, compare(tests, toolchain, times), times, toolchain)
        progress(report)
    return report


def _add(report: Report, compared: Sequence[Comparison], times: int, toolchain: Toolchain) -> None:
    report.programs += len(compared)
    report.runs += len(compared) * times
    report.hasty += [found for found in compared if found.hasty]
    report.open_ended += sum(len(found.allowed) > 1 for found in compared)
    for found in compared:
        if found.disagreements:
            report.disagreements.append(_shrunk(found, toolchain, times, len(report.disagreements)))


def _shrunk(found: Comparison, toolchain: Toolchain, times: int, before: int) -> Comparison:
    """The smallest test that still disagrees, if that is confirmed; the first few are enough to understand."""
    if before >= _SHRUNK:
        return found

    def disagree(tests: Sequence[Litmus]) -> list[bool]:
        return [bool(one.disagreements) for one in compare(tests, toolchain, times, confirm=False)]

    (least,) = compare([shrunk(found.test, disagree)], toolchain, times)
    return least if least.disagreements else found
