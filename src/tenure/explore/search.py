"""Breadth first over hashed states: I visit, I have never heard of what the states mean."""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

from tenure.explore.bounds import Bounds, Machine, Meter
from tenure.explore.fitness import blamed, examined
from tenure.explore.model import Footprinted, Model, Step, Symmetric
from tenure.explore.reduction import reduced

__all__ = ["Batched", "Progress", "Search", "Spread"]

S = TypeVar("S", bound=Hashable)
Expansion: TypeAlias = Callable[[S], Sequence[Step[S]]]

#: States between two looks at the bounds: some milliseconds of work.
_BATCH = 2048
#: Seconds between two reports of progress.
_REPORT = 0.5


#: From a batch of states to how many steps were taken and which are ends; new states are put in ``seen`` and ``fresh``.
Spread: TypeAlias = Callable[[Sequence[S], dict[S, S | None], list[S]], tuple[int, list[S]]]


@runtime_checkable
class Batched(Protocol[S]):
    """A model that visits many states quicker than one by one."""

    def visit(self, batch: Sequence[S], seen: dict[S, S | None], fresh: list[S]) -> tuple[int, list[S]]:
        """As `Spread` says."""

    def faulty(self, states: Sequence[S]) -> list[S]:
        """Those of ``states`` in which something is wrong."""

    def pays(self, states: int) -> bool:
        """Whether that is still quicker, now that so many were visited; the search stops if it is not."""


class Progress(NamedTuple):
    """How a search stands."""

    states: int
    frontier: int
    depth: int
    seconds: float

    @property
    def rate(self) -> float:
        """States visited in a second, so far."""
        return self.states / self.seconds if self.seconds else 0.0


class Search(Generic[S]):
    """One search through a model; `run` does it, and the attributes tell what was found."""

    def __init__(
        self,
        model: Model[S],
        bounds: Bounds,
        *,
        reduce: bool = True,
        symmetry: bool = True,
        stop_at_fault: bool = True,
        meter: Meter | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.model = model
        self.bounds = bounds
        self.meter = meter or Machine()
        self.progress = progress
        self.stop_at_fault = stop_at_fault
        self.seen: dict[S, S | None] = {}  #: each state, and the state it was first reached from
        self.faults: dict[str, S] = {}  #: what is wrong, and the first state in which it is
        self.ends: dict[str, tuple[int, S]] = {}  #: what is seen at the end: in how many states, and the first
        self.steps = 0
        self.depth = 0
        self.seconds = 0.0
        self.unfinished: str | None = None
        self.canonical = model.canonical if symmetry and isinstance(model, Symmetric) else None
        self.reduces = reduce and isinstance(model, Footprinted)
        self._expand = self._expansion()
        self._spread: Spread[S] = self._one_by_one
        self._faulty: Callable[[Sequence[S]], list[S]] = self._broken_among
        if isinstance(model, Batched):
            self._faulty = model.faulty
            if self._expand == model.steps:
                self._spread = model.visit
        self._reported = 0.0

    def _expansion(self) -> Expansion[S]:
        """The steps from a state as the search sees them: of representatives, and without what is left out."""
        expand: Expansion[S] = self.model.steps
        if self.canonical is not None:
            expand = _represented(expand, self.canonical)
        if self.reduces and isinstance(self.model, Footprinted):
            expand = reduced(expand, self.model, self.seen)
        return expand

    def run(self) -> None:
        """Visit level after level until nothing is new, something is broken, or a bound is reached."""
        began = self.meter.seconds()
        with _without_collector():
            level = self._begin()
            try:
                self._levels(level, began)
            except KeyboardInterrupt:
                self.unfinished = "an interrupt"
        self.seconds = self.meter.seconds() - began

    def _levels(self, level: list[S], began: float) -> None:
        while level and not self._over(len(level), began):
            if self.depth == self.bounds.depth:
                self._close(level)
                break
            level = self._next_level(level, began)
            self.depth += bool(level)

    def _begin(self) -> list[S]:
        for start in self.model.starts():
            state = self.canonical(start) if self.canonical else start
            self.seen[state] = None
            self._look(state)
        return list(self.seen)

    def _look(self, state: S) -> None:
        fault = self.model.broken(state)
        if fault is not None and fault not in self.faults:
            examined(self.model, state)
            self.faults[fault] = state

    def _next_level(self, level: list[S], began: float) -> list[S]:
        fresh: list[S] = []
        at = 0
        while at < len(level):
            size = self._batch_size()
            try:
                self._visit(level[at : at + size], fresh)
            except Exception as error:
                raise blamed(self.model, level[at : at + size], error) from error
            at += size
            if at < len(level) and self._over(len(level) - at + len(fresh), began):
                return []
        return fresh

    def _batch_size(self) -> int:
        """Smaller and smaller towards a bound on states, because nobody knows how many steps each will have."""
        left = _BATCH if self.bounds.states is None else (self.bounds.states - len(self.seen)) // 8
        return max(1, min(_BATCH, left))

    def _visit(self, batch: list[S], fresh: list[S]) -> None:
        """Take every step from the states of ``batch``; the states that are new go to ``fresh``."""
        first = len(fresh)
        taken, ends = self._spread(batch, self.seen, fresh)
        self.steps += taken
        for state in ends:
            self._end(state)
        for state in self._faulty(fresh[first:]):
            self._look(state)

    def _one_by_one(self, batch: Sequence[S], seen: dict[S, S | None], fresh: list[S]) -> tuple[int, list[S]]:
        """The hot loop: everything that is not needed for every step of every state is elsewhere."""
        expand, add = self._expand, fresh.append
        taken = 0
        ends = []
        for state in batch:
            steps = expand(state)
            if not steps:
                ends.append(state)
                continue
            taken += len(steps)
            for _, _, after in steps:
                if after not in seen:
                    seen[after] = state
                    add(after)
        return taken, ends

    def _broken_among(self, states: Sequence[S]) -> list[S]:
        broken = self.model.broken
        return [state for state in states if broken(state) is not None]

    def _close(self, level: list[S]) -> None:
        """The last level that the bound on depth allows: its ends are ends, from all others it could go on."""
        for state in level:
            if not self._expand(state):
                self._end(state)
            else:
                self.unfinished = f"the bound of {self.depth:,} steps from the start"

    def _end(self, state: S) -> None:
        fault = self.model.broken(state) or self.model.broken_at_end(state)
        if fault is not None:
            self.faults.setdefault(fault, state)
        outcome = self.model.outcome(state)
        if outcome not in self.ends:
            examined(self.model, state)
        count, first = self.ends.get(outcome, (0, state))
        self.ends[outcome] = (count + 1, first)

    def _over(self, frontier: int, began: float) -> bool:
        """Whether to stop here: something is broken, or states are left (``frontier``) and a bound is reached."""
        if self.faults and self.stop_at_fault:
            return True
        seconds = self.meter.seconds() - began
        self._tell(frontier, seconds)
        if isinstance(self.model, Batched) and not self.model.pays(len(self.seen)):
            self.unfinished = "an attempt to be quicker"
            return True
        self.unfinished = self.bounds.reached(len(self.seen), seconds, self.meter)
        return self.unfinished is not None

    def _tell(self, frontier: int, seconds: float) -> None:
        if self.progress is not None and seconds - self._reported >= _REPORT:
            self._reported = seconds
            self.progress(Progress(len(self.seen), frontier, self.depth, seconds))

    def chain(self, state: S) -> list[S]:
        """The states that lead to ``state``, a start first (representatives, where the search is symmetric)."""
        found = [state]
        while (before := self.seen[found[-1]]) is not None:
            found.append(before)
        return found[::-1]


def _represented(expand: Expansion[S], canonical: Callable[[S], S]) -> Expansion[S]:
    def steps(state: S) -> Sequence[Step[S]]:
        return [(thread, label, canonical(after)) for thread, label, after in expand(state)]

    return steps


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing a search keeps is in a cycle; tracing it again and again cost 7 to 15 percent at 260,000 states."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
