"""One whole cycle of Go's collector: what is marked, what is queued for its finalizer, what is freed.

An object with a finalizer keeps what it points to and what its closure captures, but not itself; a pointer from the
object to itself does not count. An unmarked object with a finalizer is kept once more, loses the finalizer to the
queue, and its weak pointers are nil from then on; any other unmarked object is freed and its cleanups are queued.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tenure.golang.actor import CLEANUP_ENTRY, FINALIZER
from tenure.golang.layout import ALLOCATED, FREED, Layout
from tenure.golang.rules import Rules

__all__ = ["Collector"]


class Collector:
    """Makes one cycle on a state that is given as a list; whose variables are roots is told by the caller."""

    def __init__(self, layout: Layout, rules: Rules, statics: Iterable[int], freed_events: dict[int, int]) -> None:
        self._layout, self._rules = layout, rules
        self._count, self._width = layout.count, len(layout.fields)
        self._globals = slice(layout.globals, layout.globals + layout.global_count)
        self._statics = tuple(statics)
        self._freed_events = freed_events

    # -- mark

    def begin(self, state: list[Any]) -> None:
        """What happens before marking: an object that has been in a sync.Pool for a whole cycle leaves it."""
        if self._layout.pool >= 0:
            state[self._layout.pool] = tuple((value, 1) for value, age in state[self._layout.pool] if age == 0)

    def roots(self, state: Sequence[Any]) -> list[int]:
        """Every value that keeps an object, apart from threads' variables."""
        layout = self._layout
        found: list[int] = [*state[self._globals], *self._statics]
        for entry in state[layout.queue]:
            found += entry[2:]
        if layout.cleanups >= 0:
            for entry in state[layout.cleanup_queue]:
                found += entry[2:]
            for cleanup in state[layout.cleanups]:
                found += cleanup[3:]
        if layout.pool >= 0:
            found += [value for value, _ in state[layout.pool]]
        if layout.pins >= 0:
            found += state[layout.pins]
        if layout.finalizer >= 0:
            self._finalizers(state, found)
        return found

    def _finalizers(self, state: Sequence[Any], found: list[int]) -> None:
        """What every finalizer keeps, whether its object is reachable or not."""
        first = self._layout.finalizer
        for index in range(self._count):
            finalizer = state[first + index]
            if finalizer:
                found += finalizer[1:]
                if self._rules.parents_first:
                    found += [value for value in self._fields(state, index + 1) if value != index + 1]

    def _fields(self, state: Sequence[Any], value: int) -> Sequence[int]:
        at = self._layout.field + (value - 1) * self._width
        return state[at : at + self._width]

    def mark(self, state: Sequence[Any], values: Iterable[int], seen: int = 0) -> int:
        """The objects that ``values`` lead to, as a bit set in which the object ``n`` is bit ``n``."""
        count, width, first = self._count, self._width, self._layout.field - self._width
        open_values = list(values)
        while open_values:
            value = open_values.pop()
            if 0 < value <= count and not seen >> value & 1:
                seen |= 1 << value
                at = first + value * width
                open_values += state[at : at + width]
        return seen

    # -- sweep

    def sweep(self, state: list[Any], marked: int) -> None:
        """Queue or free every object that is not ``marked``."""
        layout, first = self._layout, self._layout.object
        dead = [n for n in range(1, self._count + 1) if state[first + n - 1] == ALLOCATED and not marked >> n & 1]
        revived = [n for n in dead if layout.finalizer >= 0 and state[layout.finalizer + n - 1]]
        kept = self.mark(state, revived)
        for value in self._due(state, revived):
            self._revive(state, value)
        for value in dead:
            if not kept >> value & 1:
                self._free(state, value)
        state[layout.queue] = tuple(sorted(state[layout.queue]))
        if layout.cleanup_queue >= 0:
            state[layout.cleanup_queue] = tuple(sorted(state[layout.cleanup_queue]))

    def _due(self, state: list[Any], revived: list[int]) -> list[int]:
        """Those of ``revived`` that are queued in this cycle; under Go's rules all of them."""
        if not self._rules.cycles_survived or self._layout.due < 0:
            return revived
        first = self._layout.due - 1
        ready = [value for value in revived if not state[first + value]]
        for value in range(1, self._count + 1):
            state[first + value] = max(0, state[first + value] - 1)
        for value in ready:
            state[first + value] = self._rules.cycles_survived
        return ready

    def _revive(self, state: list[Any], value: int) -> None:
        cell = self._layout.finalizer + value - 1
        function, *captures = state[cell]
        state[cell] = 0
        state[self._layout.queue] += ((FINALIZER, function, value, *captures),)
        self._clear_weak(state, value)

    def _clear_weak(self, state: list[Any], value: int) -> None:
        if self._layout.weak >= 0:
            cell = self._layout.weak + value - 1
            state[cell] -= state[cell] & 1
        if self._layout.registry >= 0:
            entries = state[self._layout.registry]
            state[self._layout.registry] = tuple((*e[:2], 0) if e[0] == value else e for e in entries)

    def _free(self, state: list[Any], value: int) -> None:
        layout = self._layout
        state[layout.object + value - 1] = FREED
        at = layout.field + (value - 1) * self._width
        state[at : at + self._width] = [0] * self._width
        self._clear_weak(state, value)
        if value in self._freed_events:
            layout.tell(state, self._freed_events[value])
        if layout.cleanups >= 0:
            self._queue_cleanups(state, value)

    def _queue_cleanups(self, state: list[Any], value: int) -> None:
        layout = self._layout
        queue = layout.cleanup_queue if self._rules.own_cleanup_goroutines else layout.queue
        state[queue] += tuple((CLEANUP_ENTRY, *entry[2:]) for entry in state[layout.cleanups] if entry[0] == value)
        state[layout.cleanups] = tuple(entry for entry in state[layout.cleanups] if entry[0] != value)
