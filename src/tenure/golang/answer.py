"""The answer to a litmus test: what can be seen at its ends, in how many, and whether that is what was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tenure.explore import Answer as Explored
from tenure.explore import Bounds, Effort, Story, Verdict, explore
from tenure.explore.search import Progress
from tenure.golang.picture import DrawnMachine
from tenure.golang.rules import DEFAULT, RULES
from tenure.golang.syntax import Litmus

__all__ = ["BOUNDS", "Answer", "Seen", "UnknownOutcome", "alone", "answer", "as_data", "as_text"]

#: More than any test of the suite needs by far.
BOUNDS: Final = Bounds(states=2_000_000)

_UNFINISHED: Final = "unfinished"


class UnknownOutcome(ValueError):
    """The outcome asked for is none of the test's; says which there are."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One outcome: in how many ends it is seen, and whether the question's expression holds of it."""

    outcome: str
    count: int
    asked: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What one set of rules answers to a test."""

    test: Litmus
    rules: str
    outcomes: tuple[Seen, ...]
    verdict: Verdict
    machine: DrawnMachine
    explored: Explored[Any]
    why_unfinished: str = ""
    story: Story[Any] | None = None  #: the shortest way to what the question looks for, or to the witness asked for

    @property
    def states(self) -> int:
        """How many different states were visited."""
        return self.explored.effort.states

    @property
    def observation(self) -> str:
        """``Always``, ``Sometimes`` or ``Never``: how often the question's expression holds."""
        yes, no = self.counts
        return "Never" if not yes else "Sometimes" if no else "Always"

    @property
    def counts(self) -> tuple[int, int]:
        """In how many ends the expression holds, and in how many it does not."""
        yes = sum(seen.count for seen in self.outcomes if seen.asked)
        return yes, sum(seen.count for seen in self.outcomes) - yes

    @property
    def allowed(self) -> frozenset[str]:
        """Every outcome that can be seen."""
        return frozenset(seen.outcome for seen in self.outcomes)


def answer(
    test: Litmus,
    rules: str = DEFAULT,
    bounds: Bounds = BOUNDS,
    *,
    tells: bool = True,
    witness: str | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Answer:
    """Visit every schedule of ``test`` under ``rules``.

    Without ``tells`` no story is looked for, which is quicker; ``witness`` is an outcome to tell the way to.
    """
    machine = DrawnMachine(test, RULES[rules], tells and witness is None)
    found = explore(machine, bounds, stop_at_fault=False, progress=progress)
    outcomes = tuple(
        Seen(seen, outcome.count, machine.asked(outcome.witness.states[-1])) for seen, outcome in found.outcomes.items()
    )
    cut = [seen.outcome for seen in outcomes if _UNFINISHED in seen.outcome]
    why = found.why_unfinished or (cut[0] if cut else "")
    verdict = _verdict(test.question.quantifier, outcomes, bool(why))
    story = found.story if witness is None else _way_to(witness, found)
    return Answer(test, rules, outcomes, verdict, machine, found, why, story)


def _way_to(outcome: str, found: Explored[Any]) -> Story[Any]:
    if outcome not in found.outcomes:
        raise UnknownOutcome(
            f"no schedule ends in {outcome!r}; the outcomes are {', '.join(map(repr, found.outcomes))}"
        )
    return found.outcomes[outcome].witness


def alone(machine: DrawnMachine, story: Story[Any]) -> Explored[Any]:
    """What one schedule alone says: broken, or nothing yet."""
    verdict, shown = (Verdict.BROKEN, story) if story.fault is not None else (Verdict.UNFINISHED, None)
    why = None if shown else "one schedule was replayed"
    effort = Effort("one schedule", len(set(story.states)), story.length, story.length, runs=1)
    return Explored(machine.name, verdict, story.fault, shown, False, why, {}, effort, {})


def _verdict(quantifier: str, outcomes: tuple[Seen, ...], unfinished: bool) -> Verdict:
    """One end is enough to say yes to ``exists``, or no to the others; the rest needs every schedule."""
    real = [seen for seen in outcomes if _UNFINISHED not in seen.outcome]
    wanted = quantifier != "always"
    if any(seen.asked is wanted for seen in real):
        return Verdict.HOLDS if quantifier == "exists" else Verdict.BROKEN
    if unfinished:
        return Verdict.UNFINISHED
    return Verdict.BROKEN if quantifier == "exists" else Verdict.HOLDS


def as_text(found: Answer) -> str:
    """The answer as lines to read and to compare: the same for the same test, on every machine."""
    test, (yes, no) = found.test, found.counts
    width = max((len(str(seen.count)) for seen in found.outcomes), default=1)
    lines = [f"Test {test.name}", f'"{test.sentence}"', f"Rules {found.rules}", f"Outcomes {len(found.outcomes)}"]
    lines += [f"  {seen.count:>{width}} {'*' if seen.asked else ':'} {seen.outcome}" for seen in found.outcomes]
    lines.append(f"Question {test.question.quantifier} {test.question.text}")
    lines.append(f"Observation {found.observation} {yes} {no}")
    lines.append(
        f"States {found.states}, {f'not complete: {found.why_unfinished}' if found.why_unfinished else 'complete'}"
    )
    if found.story is not None:
        lines.append(f"Witness {found.story.schedule}")
    lines.append(f"Verdict {found.verdict.value}")
    return "\n".join(lines)


def as_data(found: Answer) -> dict[str, Any]:
    """The answer for a program to read."""
    yes, no = found.counts
    return {
        "test": found.test.name,
        "sentence": found.test.sentence,
        "rules": found.rules,
        "question": f"{found.test.question.quantifier} {found.test.question.text}",
        "outcomes": [{"outcome": s.outcome, "count": s.count, "asked": s.asked} for s in found.outcomes],
        "observation": [found.observation, yes, no],
        "states": found.states,
        "complete": not found.why_unfinished,
        "why_unfinished": found.why_unfinished,
        "witness": str(found.story.schedule) if found.story else None,
        "verdict": found.verdict.value,
    }
