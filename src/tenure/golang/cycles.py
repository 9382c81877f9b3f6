"""One forced cycle as steps of a thread: who holds what at that moment, and the heap after it.

Threads differ in far more states than heaps do, so both are remembered: which objects a thread's variables hold, by
where it stands and what is in them; and what a cycle makes of a heap, by the heap and the objects that are held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, combinations
from typing import Any, Final, NamedTuple

from tenure.golang.actor import FINALIZER, Built, State, Step
from tenure.golang.collector import Collector
from tenure.golang.layout import LOG, Layout
from tenure.golang.rules import Rules

__all__ = ["Cycles", "Holder"]

#: Remembered heaps; when there are more everything is forgotten, which costs time and nothing else.
_MOST: Final = 200_000


class _After(NamedTuple):
    """What a cycle makes of a heap: the heap then, the events it tells, and the objects it marked."""

    heap: tuple[Any, ...]
    told: tuple[int, ...]
    marked: int


class Holder:
    """One thread's cells, the objects that they surely hold, and the cells that perhaps hold one."""

    def __init__(self, built: Built, width: int, count: int, rules: Rules) -> None:
        self.cells = slice(built.actor.place, built.actor.place + width)
        self.holds = built.entry >= 0 or any((*built.keeps, *built.may_keep))  #: whether it ever can
        self.known: dict[tuple[Any, ...], tuple[int, tuple[int, ...]]] = {}
        self._built, self._count, self._rules = built, count, rules

    def held(self, own: tuple[Any, ...]) -> tuple[int, tuple[int, ...]]:
        """What is held when the thread's cells are ``own``, the first of which is where it stands."""
        built, first = self._built, self._built.actor.place
        sure = [own[cell - first] for cell in built.keeps[own[0]]]
        entry: tuple[int, ...] = (built.entry >= 0 and own[1]) or ()
        if entry and self._keeps(entry):
            sure += entry[2:]
        perhaps = tuple(cell for cell in built.may_keep[own[0]] if 0 < own[cell - first] <= self._count)
        self.known[own] = found = (_bits(value for value in sure if 0 < value <= self._count), perhaps)
        return found

    def _keeps(self, entry: Sequence[int]) -> bool:
        rules = self._rules
        return rules.running_finalizer_keeps if entry[0] == FINALIZER else rules.running_cleanup_keeps


def _bits(values: Iterable[int]) -> int:
    bits = 0
    for value in values:
        bits |= 1 << value
    return bits


class Cycles:
    """The cycles of one test under one set of rules."""

    def __init__(self, layout: Layout, rules: Rules, collector: Collector, everybody: Sequence[Built]) -> None:
        self._layout, self._collector, self._everybody = layout, collector, everybody
        self._heap = slice(LOG + 1, layout.block)
        self._globals = slice(layout.globals, layout.globals + layout.global_count)
        ends = [*(built.actor.place for built in everybody[1:]), len(layout.cells.names)]
        self.holders = [
            Holder(built, end - built.actor.place, layout.count, rules)
            for built, end in zip(everybody, ends, strict=True)
        ]
        self._holding = [holder for holder in self.holders if holder.holds]
        self._known: dict[tuple[State, State], dict[int, _After]] = {}

    def steps(self, state: State, index: int) -> list[Step]:
        """The cycle that the thread ``index`` forces, which stands behind it in ``state`` already.

        A variable that is not mentioned any more may still hold its object: a step for each choice that matters.
        """
        sure = 0
        perhaps: list[int] = []
        for holder in self._holding:
            own = state[holder.cells]
            held = holder.known.get(own) or holder.held(own)
            sure |= held[0]
            perhaps += held[1]
        known = self._known_of(state)
        marked = (known.get(sure) or self._collected(known, state, sure)).marked
        doubtful = [cell for cell in perhaps if not marked >> state[cell] & 1]
        if not doubtful:
            return [(index, "gc", self._swept(state, known[sure], ()))]
        choices = chain.from_iterable(combinations(doubtful, many) for many in range(len(doubtful) + 1))
        return [self._choice(known, state, index, sure, doubtful, held) for held in choices]

    def _choice(
        self, known: dict[int, _After], state: State, index: int, sure: int, doubtful: list[int], held: tuple[int, ...]
    ) -> Step:
        """The cycle that finds ``held`` of the ``doubtful`` variables still holding, and the others not."""
        objects = sure | _bits(state[cell] for cell in held)
        after = known.get(objects) or self._collected(known, state, objects)
        label = f"gc, {' and '.join(map(self._owner, held))} still held" if held else "gc"
        return index, label, self._swept(state, after, [cell for cell in doubtful if cell not in held])

    def _swept(self, state: State, after: _After, let_go: Sequence[int]) -> State:
        """The state after the cycle, in which the variables ``let_go`` hold nothing any more."""
        first, log = self._heap.stop, state[LOG]
        if after.told:
            log = log + after.told if self._layout.ordered else tuple(sorted(log + after.told))
        if not let_go:
            return (state[0], log, *after.heap, *state[first:])
        rest = list(state[first:])
        for cell in let_go:
            rest[cell - first] = 0
        return (state[0], log, *after.heap, *rest)

    def _known_of(self, state: State) -> dict[int, _After]:
        """What is known of cycles on this heap, by the objects that variables hold."""
        heap = (state[self._heap], state[self._globals])
        found = self._known.get(heap)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[heap] = found = {}
        return found

    def _collected(self, known: dict[int, _After], state: State, held: int) -> _After:
        """The cycle in which variables hold the objects ``held``; it is ``known`` from now on."""
        after = list(state)
        after[LOG] = ()
        after[self._layout.cycle] += self._layout.counted
        self._collector.begin(after)
        roots = self._collector.roots(after) + [at for at in range(1, self._layout.count + 1) if held >> at & 1]
        marked = self._collector.mark(after, roots)
        self._collector.sweep(after, marked)
        known[held] = found = _After(tuple(after[self._heap]), after[LOG], marked)
        return found

    def _owner(self, cell: int) -> str:
        return self._layout.cells.names[cell].partition(" variable")[0]

    def reachable(self, state: Sequence[Any]) -> int:
        """The objects that globals and threads certainly hold, as a bit set; queues and finalizers do not count."""
        held = list(state[self._globals])
        for built in self._everybody:
            if built.entry < 0:
                held += [state[cell] for cell in built.keeps[state[built.actor.place]]]
        return self._collector.mark(state, held)
