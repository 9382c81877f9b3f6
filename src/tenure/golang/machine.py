"""A litmus test under one set of rules as a model for the explorer."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final

from tenure.golang.actor import Actor, State, Steps
from tenure.golang.actors import Cast
from tenure.golang.code import translate
from tenure.golang.collector import Collector
from tenure.golang.layout import ALLOCATED, CYCLE_BITS, END, IMMORTAL, LOG, Layout
from tenure.golang.names import HEAP, resolve
from tenure.golang.parts import Parts
from tenure.golang.question import Ending, true
from tenure.golang.resources import ResourceMaker
from tenure.golang.rules import Rules
from tenure.golang.syntax import Litmus, atoms

__all__ = ["Machine"]

_NOTHING: Final[Steps] = ()


class Machine:
    """What `tenure.explore` needs of a model."""

    def __init__(self, test: Litmus, rules: Rules, tells: bool = True) -> None:
        self.test, self.rules, self.name = test, rules, test.name
        self.tells = tells  #: whether an end that the question looks for is shown as a story
        self.names = names = resolve(test)
        self.layout = layout = Layout(test, names)
        self._labels = [*names.labels, *names.objects]
        events = {name: at for at, name in enumerate(self._labels)}
        freed = {
            value: len(events) + names.objects.index(name) for name in names.objects for value in layout.slots[name]
        }
        statics = [value for name in names.special for value in layout.slots[name]]
        self._watch(events)
        collector = Collector(layout, rules, statics, freed)
        self.cast = Cast(test, names, layout, rules, collector, events)
        self.threads: Sequence[str] = [built.actor.name for built in self.cast.everybody]
        self._table = [(built.actor.place, built.code) for built in self.cast.everybody]
        self._parts = Parts(self.cast.threads, self.cast.workers, self.cast.cycles.holders)
        #: Outcomes by all that they are made of: ends are many, what they show is not.
        self._outcomes: dict[tuple[Any, ...], str] = {}
        self._last = slice(layout.block, layout.globals + layout.global_count)
        self._start = self._heap(events)

    # -- what is looked at

    def _watch(self, events: dict[str, int]) -> None:
        """Find out what must be remembered to answer the question: the less, the fewer states."""
        test, layout = self.test, self.layout
        asked = list(atoms(test.question.expression))
        everything = not {"events", "order"}.isdisjoint(test.observe)
        mentioned = [name for atom in asked if atom.kind in ("event", "before") for name in (atom.name, atom.other)]
        self.watched = list(events) if everything else [name for name in events if name in mentioned]
        freed = [atom.name for atom in asked if atom.kind == "freed"] + list(test.observe)
        self.watched_objects = sorted(name for name in self.names.objects if name in freed)
        variables = [atom.name for atom in asked if atom.kind == "variable"] + list(test.observe)
        self.watched_globals = [name for name in test.globals if name in variables]
        layout.ordered = "order" in test.observe or any(atom.kind == "before" for atom in asked)
        layout.counted = bool(test.observe) or any(atom.cycle is not None for atom in asked)
        layout.told = frozenset(
            [events[name] for name in self.watched]
            + [len(events) + self.names.objects.index(name) for name in self.watched_objects]
        )

    # -- the heap as it is before anything runs

    def _heap(self, events: dict[str, int]) -> State:
        layout, names, test = self.layout, self.names, self.test
        state: list[Any] = list(layout.cells.first)
        made = {name for there in names.made.values() for name in there}
        for name in names.objects:
            if name not in made:
                state[layout.object + layout.slots[name][0] - 1] = IMMORTAL if name in names.special else ALLOCATED
        code = translate(HEAP, test.heap, names, test.globals)
        cells = {"@" + name: layout.globals + at for at, name in enumerate(test.globals)}
        for built in self.cast.threads:
            cells |= {f"{built.actor.name}.{name}": cell for name, cell in built.actor.cells.items() if name[0] != "@"}
        size = len(state)
        for name in [*names.objects, *code.variables]:
            cells[name] = len(state)
            state.append(layout.slots[name][0] if name in layout.slots else 0)
        actor = Actor(0, HEAP, -1, cells, self.cast.threads[0].actor.functions)
        for operation in code.operations:
            if operation.op not in ("object", "static", "zero") and not state[END]:
                ResourceMaker(layout, self.rules, actor, operation, events).effect()(state)
        return tuple(state[:size])

    # -- the model

    def starts(self) -> Sequence[State]:
        """The heap as the test describes it, with every thread at its beginning."""
        return [self._start]

    def steps(self, state: State) -> Steps:
        """The steps of every thread, and of the runtime's goroutines."""
        if state[END]:
            return _NOTHING
        found: list[tuple[int, str, State]] = []
        for place, code in self._table:
            instruction = code[state[place]]
            if instruction is not None:
                found += instruction(state)
        return found

    def steps_of(self, thread: int, state: State) -> Steps:
        """The steps of one of them."""
        place, code = self._table[thread]
        instruction = code[state[place]]
        return _NOTHING if instruction is None or state[END] else instruction(state)

    def parts(self, state: State) -> tuple[State, ...]:
        """What is shared, and then each thread's variables."""
        return self._parts.of(state)

    def whole(self, parts: tuple[Any, ...]) -> State:
        """The state of these parts."""
        return self._parts.whole(parts)

    def facets(self, thread: int, own: Any) -> tuple[Hashable, ...]:
        """What the thread surely holds, what it perhaps holds, and the rest."""
        return self._parts.facets(thread, own)

    def asks(self, thread: int, own: Any) -> tuple[tuple[int, int], ...]:
        """The facets of others that its next step asks for or changes."""
        return self._parts.asks(thread, own)

    def broken(self, state: State) -> str | None:
        """Nothing is asked before the end."""
        return None

    def broken_at_end(self, state: State) -> str | None:
        """What the question looks for, if this end shows it: for ``exists`` it is welcome, for the others it is not."""
        if not self.tells or self.asked(state) is (self.test.question.quantifier == "always"):
            return None
        found = {"exists": "found", "forbidden": "forbidden, but found", "always": "not always"}
        return f"{found[self.test.question.quantifier]}: {self.test.question.text}"

    def asked(self, state: State) -> bool:
        """Whether the question's expression holds of this end."""
        return true(self.test.question.expression, self.ending(state))

    def ending(self, state: State) -> Ending:
        """What can be seen of an end."""
        layout, many = self.layout, len(self._labels)
        log = [divmod(entry, 1 << CYCLE_BITS) for entry in state[LOG]]
        happened = tuple((self._labels[event], cycle) for event, cycle in log if event < many)
        freed = tuple((self.names.objects[event - many], cycle) for event, cycle in log if event >= many)
        variables = tuple(
            (name, layout.show(state[layout.globals + at]).partition("#")[0])
            for at, name in enumerate(self.test.globals)
        )
        if state[END] != "exit":
            return Ending(happened, (), (), state[END] or "deadlock", ())
        return Ending(happened, freed, variables, "exit", self._leaks(state))

    def _leaks(self, state: State) -> tuple[str, ...]:
        layout = self.layout
        blocks = [
            name.partition("#")[0] for at, name in enumerate(layout.blocks) if state[layout.block + at] == ALLOCATED
        ]
        table = state[layout.open_files] if layout.open_files >= 0 else ()
        return tuple(sorted(blocks + [layout.files[file - 1] for file in table if file]))

    def event(self, number: int) -> str:
        """What the event of this number is called in the test."""
        return self._labels[number]

    def outcome(self, state: State) -> str:
        """What is watched of an end, in one line."""
        files = self.layout.open_files
        key = (state[END], state[LOG], state[self._last], state[files] if files >= 0 else ())
        if key not in self._outcomes:
            self._outcomes[key] = self.shown(self.ending(state))
        return self._outcomes[key]

    def shown(self, ending: Ending) -> str:
        """What is watched of an end, in one line; the end may also be one that was really seen."""
        parts = [self._told(ending)] if self.watched else []
        parts += [f"{name}={value}" for name, value in ending.variables if name in self.watched_globals]
        if ending.how == "exit":
            parts += [self._fate(name, ending) for name in self.watched_objects]
        else:
            parts.append(ending.how)
        parts += [f"leak {' '.join(ending.leaks)}"] if ending.leaks else []
        return "; ".join(parts) or "exit"

    def _told(self, ending: Ending) -> str:
        log = [(name, cycle if self.layout.counted else 0) for name, cycle in ending.log if name in self.watched]
        if not self.layout.ordered:
            log.sort(key=lambda event: (event[1], event[0]))
        words = [f"{name}@{cycle}" if self.layout.counted else name for name, cycle in log]
        return (" > " if self.layout.ordered else " ").join(words) or "none"

    def _fate(self, name: str, ending: Ending) -> str:
        cycles = [cycle for freed, cycle in ending.freed if freed == name]
        if not cycles:
            return f"{name} held"
        return f"{name} freed" + ("@" + ",".join(map(str, cycles)) if self.layout.counted else "")
