"""Asks a model by many walks drawn by chance: a fault that is met is real, that none was met is unfinished."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from tenure.explore.bounds import Bounds, Machine, Meter
from tenure.explore.fitness import admit
from tenure.explore.model import Model
from tenure.explore.search import Progress
from tenure.explore.shrink import shrunk
from tenure.explore.story import Story
from tenure.explore.verdict import Answer, Effort, Outcome, Verdict
from tenure.explore.walks import Scheduler, walk

__all__ = ["sample"]

S = TypeVar("S", bound=Hashable)

#: A walk that has not ended after this many steps is left; the bound on depth replaces it.
_LONGEST = 10_000


class _Walks(Generic[S]):
    """What was met in the walks so far."""

    def __init__(self) -> None:
        self.seen: set[S] = set()
        self.ends: dict[str, tuple[int, Story[S]]] = {}
        self.broken: Story[S] | None = None
        self.runs = 0
        self.steps = 0
        self.depth = 0

    def add(self, story: Story[S]) -> None:
        """One more walk."""
        self.runs += 1
        self.steps += story.length
        self.depth = max(self.depth, story.length)
        self.seen.update(story.states)
        if story.fault is not None:
            self.broken = story
        elif story.outcome is not None:
            count, first = self.ends.get(story.outcome, (0, story))
            self.ends[story.outcome] = (count + 1, first)


def sample(
    model: Model[S],
    scheduler: Scheduler,
    chance: random.Random,
    runs: int,
    bounds: Bounds | None = None,
    *,
    meter: Meter | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Answer[S]:
    """Follow ``runs`` schedules drawn by ``scheduler`` and ``chance``, or as many as ``bounds`` allow.

    The counts of the outcomes are of walks, not of states. A story that is found is shrunk; a shorter one may exist.
    """
    admit(model)
    limits, clock = bounds or Bounds(), meter or Machine()
    began = clock.seconds()
    walks: _Walks[S] = _Walks()
    why = None
    while walks.runs < runs and walks.broken is None and why is None:
        walks.add(walk(model, scheduler, chance, limits.depth or _LONGEST))
        seconds = clock.seconds() - began
        why = limits.reached(len(walks.seen), seconds, clock)
        if progress is not None and walks.runs % 100 == 0:
            progress(Progress(len(walks.seen), runs - walks.runs, walks.depth, seconds))
    return _answer(model, walks, scheduler.name, why, clock.seconds() - began)


def _answer(model: Model[S], walks: _Walks[S], method: str, why: str | None, seconds: float) -> Answer[S]:
    story = shrunk(model, walks.broken) if walks.broken else None
    sampled = f"only {walks.runs:,} {method} were followed" + (f", up to {why}" if why else "")
    return Answer(
        model=model.name,
        verdict=Verdict.BROKEN if story else Verdict.UNFINISHED,
        fault=story.fault if story else None,
        story=story,
        shortest=False,
        why_unfinished=None if story else sampled,
        outcomes={seen: Outcome(seen, count, first) for seen, (count, first) in sorted(walks.ends.items())},
        effort=Effort(method, len(walks.seen), walks.steps, walks.depth, walks.runs, seconds),
        others={},
    )
