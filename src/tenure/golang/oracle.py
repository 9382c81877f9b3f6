"""Holds the model against real Go: what was seen must be a subset of what is allowed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tenure.golang.answer import answer
from tenure.golang.machine import Machine
from tenure.golang.question import Ending
from tenure.golang.rules import RULES, between
from tenure.golang.syntax import Litmus
from tenure.golang.tokens import LitmusError, Place
from tenure.golang.toolchain import Toolchain, machine
from tenure.golang.writer import needs_cleanups

__all__ = ["Comparison", "Record", "applies", "as_lines", "compare", "record_of", "records_from", "records_text"]

#: How much longer the waits are when an outcome that is not allowed is looked for again, and how often it is: what
#: several threads do may be rare.
_PATIENCE: Final = 20
_AGAIN: Final = 3
_AGAIN_WITH_THREADS: Final = 30

#: Of what is allowed and was never seen no more is listed: many threads have many ends.
_LISTED: Final = 40


@dataclass(frozen=True, slots=True)
class Record:
    """What was seen of one test on one version of Go."""

    go: str
    outcomes: dict[str, int]
    machine: str = ""
    program: str = ""  #: the hand-written Go program that was run, if it was not written from the test

    @property
    def rules(self) -> str:
        """The rules that it should go by."""
        return "go" + ".".join(self.go.split(".")[:2])


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test on one toolchain beside the model's answer under the same rules."""

    test: Litmus
    record: Record
    allowed: frozenset[str]
    #: What was seen at first, and not again with longer waits: the wait is a time limit, and it was too short.
    hasty: dict[str, int] = field(default_factory=dict)

    @property
    def disagreements(self) -> list[str]:
        """What was seen and is not allowed."""
        return sorted(set(self.record.outcomes) - self.allowed)

    @property
    def never_seen(self) -> list[str]:
        """What is allowed and was not seen."""
        return sorted(self.allowed - set(self.record.outcomes))


def applies(test: Litmus, rules: str) -> bool:
    """Whether ``test`` can be asked under ``rules``; there are no cleanups before go1.24, for example."""
    if rules == "described":
        return True
    return test.rules[0] != "described" and rules in between(*test.rules, needs_cleanups(test))


def compare(
    tests: Sequence[Litmus], toolchain: Toolchain, times: int, workers: int = 4, *, confirm: bool = True
) -> list[Comparison]:
    """Run each test ``times`` times, and each that showed something not allowed again, with more patience.

    Without ``confirm`` nothing is run again: quicker, and what disagrees may only have been hasty.
    """
    rows = toolchain.runs(tests, times, workers)
    compared = [_compared(test, toolchain, ends) for test, ends in zip(tests, rows, strict=True)]
    doubtful = [at for at, found in enumerate(compared) if found.disagreements]
    if doubtful and confirm:
        again = _AGAIN_WITH_THREADS if any(len(tests[at].threads) > 1 for at in doubtful) else _AGAIN
        rows = toolchain.runs([tests[at] for at in doubtful], again, workers, _PATIENCE)
        for at, ends in zip(doubtful, rows, strict=True):
            compared[at] = _reconsidered(compared[at], ends)
    return compared


def _compared(test: Litmus, toolchain: Toolchain, ends: Iterable[Ending]) -> Comparison:
    model = Machine(test, RULES[toolchain.rules])
    seen = Counter(model.shown(end) for end in ends)
    allowed = answer(test, toolchain.rules, tells=False).allowed
    return Comparison(test, Record(toolchain.version, dict(sorted(seen.items())), machine()), allowed)


def _reconsidered(first: Comparison, ends: Iterable[Ending]) -> Comparison:
    model = Machine(first.test, RULES[first.record.rules])
    again = Counter(model.shown(end) for end in ends)
    kept = {outcome: many for outcome, many in first.record.outcomes.items() if outcome in first.allowed}
    hasty = {outcome: many for outcome, many in first.record.outcomes.items() if outcome not in {*kept, *again}}
    outcomes = dict(sorted((Counter(kept) + again).items()))
    return Comparison(first.test, Record(first.record.go, outcomes, first.record.machine), first.allowed, hasty)


def as_lines(found: Comparison) -> list[str]:
    """The comparison to read."""
    verdict = "DISAGREES" if found.disagreements else "agrees"
    lines = [f"Test {found.test.name} on go {found.record.go}: {verdict}"]
    lines += [f"  {many:>5} seen     {outcome}" for outcome, many in found.record.outcomes.items()]
    lines += [f"        not allowed {outcome}" for outcome in found.disagreements]
    lines += [f"        never seen  {outcome}" for outcome in found.never_seen[:_LISTED]]
    more = len(found.never_seen) - _LISTED
    lines += [f"        never seen  … and {more} more"] if more > 0 else []
    lines += [f"  {many:>5} only in haste, not with longer waits: {outcome}" for outcome, many in found.hasty.items()]
    return lines


# -- records beside the tests


def record_of(data: dict[str, Any]) -> Record:
    """A record as it was read from a ``.seen`` file."""
    return Record(data["go"], data["outcomes"], data.get("machine", ""), data.get("program", ""))


def records_from(text: str, origin: str = "") -> list[Record]:
    """The records of a ``.seen`` file, which has one a line."""
    records: list[Record] = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            records += [record_of(json.loads(line))] if line else []
        except (ValueError, KeyError, TypeError):
            raise LitmusError("expected a record as --record writes it", Place(number, 1), origin) from None
    return records


def records_text(records: Iterable[Record]) -> str:
    """Records as a ``.seen`` file, by program and version."""
    rows = []
    for record in sorted(records, key=lambda record: (record.program, record.go)):
        data = {"go": record.go, "machine": record.machine, "program": record.program, "outcomes": record.outcomes}
        rows.append(json.dumps({name: value for name, value in data.items() if value}, ensure_ascii=False) + "\n")
    return "".join(rows)
