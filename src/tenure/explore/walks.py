"""One schedule after another by chance, for models too wide to visit them all: what they show is real, no more."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence
from typing import Protocol, TypeVar

from tenure.explore.fitness import blamed
from tenure.explore.model import Model, Step
from tenure.explore.schedule import Move
from tenure.explore.story import Moment, Story, ending_of

__all__ = ["Pct", "Scheduler", "Uniform", "walk"]

S = TypeVar("S", bound=Hashable)


class Scheduler(Protocol):
    """Chooses who moves next."""

    @property
    def name(self) -> str:
        """What it is called in the answer."""

    def begin(self, threads: int) -> None:
        """A new walk begins."""

    def choose(self, ready: Sequence[int]) -> int:
        """One of the threads that are ready."""


class Uniform:
    """Every ready thread is as likely as any other."""

    name = "random schedules"

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def begin(self, threads: int) -> None:
        """Nothing is remembered from walk to walk."""

    def choose(self, ready: Sequence[int]) -> int:
        """One of ``ready``."""
        return self._chance.choice(ready)


class Pct:
    """Probabilistic concurrency testing: threads have priorities, and at few random moments the first becomes the last.

    The ready thread of highest priority moves. A bug that needs ``depth`` orderings among ``n`` threads and ``k`` steps
    is met by one walk with a probability of at least ``1 / (n * k ** (depth - 1))``. ``k`` is learned: it is the length
    of the longest walk so far.
    """

    name = "PCT schedules"

    def __init__(self, chance: random.Random, depth: int = 3) -> None:
        self._chance = chance
        self._depth = depth
        self._length = 1
        self._at = 0
        self._changes: set[int] = set()
        self._priority: list[int] = []

    def begin(self, threads: int) -> None:
        """Draw priorities and the moments at which they change."""
        self._length = max(self._length, self._at)
        self._at = 0
        self._priority = list(range(self._depth, self._depth + threads))
        self._chance.shuffle(self._priority)
        self._changes = {self._chance.randrange(self._length) for _ in range(self._depth - 1)}

    def choose(self, ready: Sequence[int]) -> int:
        """The ready thread of highest priority, which at a moment of change falls below all others."""
        chosen = max(ready, key=self._priority.__getitem__)
        if self._at in self._changes and len(ready) > 1:
            self._priority[chosen] = min(self._priority) - 1
            chosen = max(ready, key=self._priority.__getitem__)
        self._at += 1
        return chosen


def walk(model: Model[S], scheduler: Scheduler, chance: random.Random, longest: int) -> Story[S]:
    """One walk to an end, to a broken state, or of ``longest`` steps.

    Where there are several starts, or a thread has several steps, one is drawn by ``chance``.
    """
    starts = tuple(model.starts())
    index = chance.randrange(len(starts))
    state = starts[index]
    scheduler.begin(len(model.threads))
    moments: list[Moment[S]] = []
    try:
        while len(moments) < longest and model.broken(state) is None and (steps := model.steps(state)):
            moments.append(_move(model, steps, scheduler, chance))
            state = moments[-1].state
        return Story(starts[index], tuple(moments), index, *ending_of(model, state))
    except Exception as error:
        raise blamed(model, [state], error) from error


def _move(model: Model[S], steps: Sequence[Step[S]], scheduler: Scheduler, chance: random.Random) -> Moment[S]:
    ready = list(dict.fromkeys(step[0] for step in steps))
    thread = scheduler.choose(ready)
    own = [step for step in steps if step[0] == thread]
    choice = chance.randrange(len(own)) if len(own) > 1 else 0
    _, label, after = own[choice]
    return Moment(Move(model.threads[thread], choice), label, after)
