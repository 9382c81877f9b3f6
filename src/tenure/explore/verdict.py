"""What an exploration says: holds, broken or unfinished, with the story and everything that can be seen at the end."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from tenure.explore.story import Story

__all__ = ["Answer", "Effort", "Outcome", "Verdict"]

S = TypeVar("S", bound=Hashable)
T = TypeVar("T", bound=Hashable)


class Verdict(Enum):
    """The three answers. There is no fourth, and unfinished is not a kind of holds."""

    HOLDS = "holds"  #: every schedule was visited, none is broken
    BROKEN = "broken"  #: there is a story that shows it
    UNFINISHED = "unfinished"  #: nothing broken was found, and not everything was visited


@dataclass(frozen=True, slots=True)
class Outcome(Generic[S]):
    """What can be seen at the end, in how many end states, and one story that leads to it."""

    seen: str
    count: int
    witness: Story[S]


@dataclass(frozen=True, slots=True)
class Effort:
    """What it took to find out."""

    method: str  #: ``every schedule``, or the name of the sampling
    states: int = 0  #: different states visited (sampled: passed through)
    steps: int = 0  #: steps taken
    depth: int = 0  #: steps from a start to the farthest state
    runs: int = 0  #: schedules sampled; 0 when every schedule was visited
    seconds: float = 0.0
    reduced: bool = False  #: schedules that differ only in steps which do not meet were left out
    symmetric: bool = False  #: states that differ only in names were visited once


@dataclass(frozen=True, slots=True)
class Answer(Generic[S]):
    """The verdict on one model, and what it rests on."""

    model: str
    verdict: Verdict
    fault: str | None  #: broken: what is wrong
    story: Story[S] | None  #: broken: how it comes about
    shortest: bool  #: broken: whether no story that breaks it has fewer steps
    why_unfinished: str | None  #: which bound was reached, or that schedules were only sampled
    outcomes: Mapping[str, Outcome[S]]  #: by what is seen, sorted
    effort: Effort
    others: Mapping[str, Story[S]]  #: other faults, where the exploration was asked to go on after the first

    def told_in(self, states: Callable[[S], T]) -> Answer[T]:
        """The same answer, its stories told in other states."""
        return Answer(
            model=self.model,
            verdict=self.verdict,
            fault=self.fault,
            story=self.story.told_in(states) if self.story else None,
            shortest=self.shortest,
            why_unfinished=self.why_unfinished,
            outcomes={
                seen: Outcome(seen, end.count, end.witness.told_in(states)) for seen, end in self.outcomes.items()
            },
            effort=self.effort,
            others={fault: story.told_in(states) for fault, story in self.others.items()},
        )
