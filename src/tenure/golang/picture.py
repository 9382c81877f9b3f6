"""A state of the model as a picture: who holds which object, what waits in a queue, what is freed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tenure.explore import Drawing, Edge, Node
from tenure.golang.actor import Built
from tenure.golang.layout import ALLOCATED, CYCLE_BITS, DESCRIPTOR, END, FREED, IMMORTAL, LOG, WEAK, Layout
from tenure.golang.machine import Machine

__all__ = ["DrawnMachine"]


class DrawnMachine(Machine):
    """A litmus test whose states can be drawn."""

    def draw(self, state: tuple[Any, ...]) -> Drawing:
        """The heap, its roots, the queues, and what was told so far."""
        return _Sketch(self, state).drawing()


class _Sketch:
    """Collects the boxes and arrows of one state."""

    def __init__(self, machine: Machine, state: Sequence[Any]) -> None:
        self._machine, self._state = machine, state
        self._layout: Layout = machine.layout
        self._nodes: list[Node] = []
        self._edges: list[Edge] = []

    def drawing(self) -> Drawing:
        self._objects()
        self._blocks()
        for at, name in enumerate(self._machine.test.globals):
            self._root(name, self._state[self._layout.globals + at])
        for built in self._machine.cast.threads:
            self._variables(built)
        for built in self._machine.cast.workers:
            self._worker(built)
        self._queues()
        return Drawing(tuple(self._nodes), tuple(self._edges), tuple(self._notes()))

    # -- what there is

    def _objects(self) -> None:
        layout = self._layout
        for at, name in enumerate(layout.objects):
            what = self._state[layout.object + at]
            if what in (ALLOCATED, IMMORTAL):
                self._nodes.append(Node(name, f"{name}{self._armed(at)}", "object"))
                self._fields(name, at)
            elif what == FREED:
                self._nodes.append(Node(name, f"{name} freed", "dead"))

    def _armed(self, at: int) -> str:
        """The finalizer that is set on an object, and the arrows to what its closure captures."""
        layout = self._layout
        finalizer: tuple[int, ...] = self._state[layout.finalizer + at] if layout.finalizer >= 0 else ()
        if not finalizer:
            return ""
        number, *captures = finalizer
        for value in captures:
            self._arrow(layout.objects[at], value, "captured")
        return f" · {self._function(number) or 'finalizer'} set"

    def _fields(self, name: str, at: int) -> None:
        layout = self._layout
        for field in layout.fields:
            self._arrow(name, self._state[layout.field_of(at + 1, field)], field)

    def _blocks(self) -> None:
        for at, name in enumerate(self._layout.blocks):
            what = self._state[self._layout.block + at]
            if what == ALLOCATED:
                self._nodes.append(Node(name, f"{name} (C)", "native"))
            elif what == FREED:
                self._nodes.append(Node(name, f"{name} (C) freed", "dead"))

    # -- who holds it

    def _root(self, name: str, value: int) -> None:
        if value:
            self._nodes.append(Node(name, name, "root"))
            self._arrow(name, value)

    def _variables(self, built: Built) -> None:
        """Arrows that are sure, and those of variables that are not mentioned any more."""
        actor = built.actor
        at = self._state[actor.place]
        sure = set(built.keeps[at]) if at < len(built.keeps) else set()
        for name, cell in actor.cells.items():
            if name[0] != "@" and self._state[cell]:
                full = f"{actor.name}.{name.partition(' ')[0]}"
                self._nodes.append(Node(full, full, "root"))
                self._arrow(full, self._state[cell], "" if cell in sure else "perhaps")

    def _worker(self, built: Built) -> None:
        entry = self._state[built.entry]
        if entry:
            name = built.actor.name
            self._nodes.append(Node(name, f"running {self._call(entry)}", "queue"))
            for value in entry[2:]:
                self._arrow(name, value)

    def _queues(self) -> None:
        for cell in (self._layout.queue, self._layout.cleanup_queue):
            for at, entry in enumerate(self._state[cell] if cell >= 0 else ()):
                name = f"queue {cell} {at}"
                self._nodes.append(Node(name, f"queued {self._call(entry)}", "queue"))
                for value in entry[2:]:
                    self._arrow(name, value)

    def _call(self, entry: Sequence[int]) -> str:
        return f"{self._function(entry[1]) or 'finalizer'}({self._layout.show(entry[2]) if entry[2] else ''})"

    def _function(self, number: int) -> str:
        return self._machine.test.functions[number - 1].name if number else ""

    def _arrow(self, source: str, value: int, label: str = "") -> None:
        layout = self._layout
        if 0 < value <= layout.count + len(layout.blocks):
            self._edges.append(Edge(source, layout.show(value), label))
        elif WEAK <= value < DESCRIPTOR and layout.weak >= 0:
            target, generation = divmod(value - WEAK, 16)
            if target <= layout.count and self._state[layout.weak + target - 1] == generation:
                self._edges.append(Edge(source, layout.show(target), "weak"))

    def _notes(self) -> Iterator[str]:
        layout, many = self._layout, len(self._machine.names.labels) + len(self._machine.names.objects)
        if layout.counted:
            yield f"cycle {self._state[layout.cycle]}"
        events = [entry >> CYCLE_BITS for entry in self._state[LOG]]
        told = [self._machine.event(event) for event in events if event < many]
        if told:
            yield f"told: {' '.join(told)}"
        if self._state[END]:
            yield f"end: {self._state[END]}"
