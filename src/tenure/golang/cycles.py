"""One forced cycle as steps of a thread: who holds what at that moment, and the heap after it.

Threads differ in far more states than heaps do, so both are remembered: which objects a thread's variables hold, by
where it stands and what is in them; and what a cycle makes of a heap, by the heap and the objects that are held.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

from tenure.golang.actor import FINALIZER, Built, State, Step
from tenure.golang.collector import Collector
from tenure.golang.layout import LOG, Layout
from tenure.golang.rules import Rules

__all__ = ["Cycles"]

#: Remembered heaps; when there are more everything is forgotten, which costs time and nothing else.
_MOST: Final = 200_000


class _Holder:
    """One thread's cells, and the objects that they hold for certain and perhaps, as bit sets."""

    def __init__(self, built: Built, width: int, count: int, rules: Rules) -> None:
        self.cells = slice(built.actor.place, built.actor.place + width)
        self.known: dict[tuple[Any, ...], tuple[int, int]] = {}
        self._built, self._count, self._rules = built, count, rules

    def holds(self, part: tuple[Any, ...]) -> tuple[int, int]:
        """What is held when the thread's cells are ``part``, the first of which is where it stands."""
        built, first = self._built, self._built.actor.place
        sure = [part[cell - first] for cell in built.keeps[part[0]]]
        entry: tuple[int, ...] = (built.entry >= 0 and part[1]) or ()
        if entry and self._keeps(entry):
            sure += entry[2:]
        perhaps = [part[cell - first] for cell in built.may_keep[part[0]]]
        self.known[part] = found = (self._bits(sure), self._bits(perhaps))
        return found

    def _keeps(self, entry: Sequence[int]) -> bool:
        rules = self._rules
        return rules.running_finalizer_keeps if entry[0] == FINALIZER else rules.running_cleanup_keeps

    def _bits(self, values: Sequence[int]) -> int:
        bits = 0
        for value in values:
            if 0 < value <= self._count:
                bits |= 1 << value
        return bits


class Cycles:
    """The cycles of one test under one set of rules."""

    def __init__(self, layout: Layout, rules: Rules, collector: Collector, everybody: Sequence[Built]) -> None:
        self._layout, self._collector, self._everybody = layout, collector, everybody
        self._heap = slice(LOG + 1, layout.block)
        self._globals = slice(layout.globals, layout.globals + layout.global_count)
        ends = [*(built.actor.place for built in everybody[1:]), len(layout.cells.names)]
        #: Everybody who has a variable for an object, or runs entries of a queue.
        self._holders = [
            _Holder(built, end - built.actor.place, layout.count, rules)
            for built, end in zip(everybody, ends, strict=True)
            if built.entry >= 0 or any((*built.keeps, *built.may_keep))
        ]
        self._known: dict[tuple[Any, ...], tuple[tuple[Any, ...], tuple[int, ...], int]] = {}

    def steps(self, state: State, index: int) -> list[Step]:
        """The cycle that the thread ``index`` forces, which stands behind it in ``state`` already.

        A variable that is not mentioned any more may still hold its object: a step for each choice that matters.
        """
        sure = perhaps = 0
        for holder in self._holders:
            part = state[holder.cells]
            held = holder.known.get(part) or holder.holds(part)
            sure |= held[0]
            perhaps |= held[1]
        heap, events, marked = self._after(state, sure)
        if perhaps & ~marked:
            return self._choices(state, index, sure, marked)
        if not events:
            return [(index, "gc", state[: LOG + 1] + heap + state[self._layout.block :])]
        log = state[LOG] + events if self._layout.ordered else tuple(sorted(state[LOG] + events))
        return [(index, "gc", (state[0], log, *heap, *state[self._layout.block :]))]

    def _after(self, state: State, sure: int) -> tuple[tuple[Any, ...], tuple[int, ...], int]:
        """The heap after the cycle, what it tells, and what it marked, as if nothing were held perhaps."""
        key = (state[self._heap], state[self._globals], sure)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            after, marked = self._swept(state, sure)
            self._known[key] = found = (tuple(after[self._heap]), after[LOG], marked)
        return found

    def _swept(self, state: Sequence[Any], held: int) -> tuple[list[Any], int]:
        """The state after the cycle, with nothing told before it, and what was marked."""
        after = list(state)
        after[LOG] = ()
        after[self._layout.cycle] += self._layout.counted
        self._collector.begin(after)
        roots = self._collector.roots(after) + [at for at in range(1, self._layout.count + 1) if held >> at & 1]
        marked = self._collector.mark(after, roots)
        self._collector.sweep(after, marked)
        return after, marked

    def _choices(self, state: State, index: int, sure: int, marked: int) -> list[Step]:
        """A step for each choice of the variables that decide over an object: still holding it, or not any more."""
        count = self._layout.count
        cells = [cell for built in self._everybody for cell in built.may_keep[state[built.actor.place]]]
        doubtful = [at for at in cells if 0 < state[at] <= count and not marked >> state[at] & 1]
        found: list[Step] = []
        for many in range(len(doubtful) + 1):
            for held in combinations(doubtful, many):
                before = list(state)
                for cell in doubtful:
                    before[cell] = state[cell] if cell in held else 0
                after, _ = self._swept(before, sure | sum(1 << value for value in {before[cell] for cell in held}))
                after[LOG] = state[LOG] + after[LOG] if self._layout.ordered else tuple(sorted(state[LOG] + after[LOG]))
                label = f"gc, {' and '.join(map(self._owner, held))} still held" if held else "gc"
                found.append((index, label, tuple(after)))
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
