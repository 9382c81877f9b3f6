"""Who does something: the test's threads, and the runtime's goroutines for finalizers and cleanups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tenure.golang.actor import Actor, Built, Instruction, State, Steps
from tenure.golang.code import Code, Operation, translate
from tenure.golang.collector import Collector
from tenure.golang.cycles import Cycles
from tenure.golang.instructions import ELSEWHERE, WAITS
from tenure.golang.layout import END, FREED, Layout
from tenure.golang.names import Names
from tenure.golang.resources import ResourceMaker
from tenure.golang.rules import Rules
from tenure.golang.syntax import Function, Litmus, Thread

__all__ = ["Cast"]

_NOTHING: Final[Steps] = ()


class Cast:
    """Everybody who does something in one test, under one set of rules."""

    def __init__(
        self, test: Litmus, names: Names, layout: Layout, rules: Rules, collector: Collector, events: dict[str, int]
    ) -> None:
        self._test, self._names, self._layout, self._rules = test, names, layout, rules
        self._collector, self._events = collector, events
        self._globals = {"@" + name: layout.globals + at for at, name in enumerate(test.globals)}
        self._functions = {"": 0} | {function.name: at for at, function in enumerate(test.functions, 1)}
        self.threads = [self._add_thread(index, thread) for index, thread in enumerate(test.threads)]
        self.workers = [self._add_worker(name, cell) for name, cell in self._goroutines()]
        self.everybody = [*self.threads, *self.workers]
        self.cycles = Cycles(layout, rules, collector, self.everybody)
        for built in self.everybody:
            self._finish(built)
        self.threads[0].code[-1] = self._exit()

    def _goroutines(self) -> list[tuple[str, int]]:
        """Their names, and which queue each takes from."""
        layout, rules = self._layout, self._rules
        found: list[tuple[str, int]] = []
        own = rules.own_cleanup_goroutines
        if "finalizer" in layout.verbs or ("cleanup" in layout.verbs and not own):
            many = rules.finalizer_goroutines
            found += [(f"finalizers{number or ''}", layout.queue) for number in _numbers(many)]
        if "cleanup" in layout.verbs and own:
            many = max(self._test.procs // 4, 1)
            found += [(f"cleanups{number or ''}", layout.cleanup_queue) for number in _numbers(many)]
        return found

    # -- building

    def _add_thread(self, index: int, thread: Thread) -> Built:
        code = translate(thread.name, thread.body, self._names, self._test.globals)
        place = self._layout.cells.add(f"{thread.name} is at")
        cells = {name: self._layout.cells.add(f"{thread.name}.{name}") for name in code.variables}
        actor = Actor(index, thread.name, place, {**self._globals, **cells}, self._functions)
        built = Built(actor, [], [], [], end=code.end)
        self._append(built, code, 0, tuple(cells.values()))
        built.code.append(None)
        built.keeps.append(())
        built.may_keep.append(())
        return built

    def _add_worker(self, name: str, queue: int) -> Built:
        layout, functions = self._layout, self._test.functions
        codes = [translate(function.name, function.body, self._names, self._test.globals) for function in functions]
        place, entry = layout.cells.add(f"{name} is at"), layout.cells.add(f"{name} runs")
        width = max((len(code.variables) for code in codes), default=0)
        registers = tuple(layout.cells.add(f"{name} variable {at}") for at in range(width))
        index = len(self._test.threads) + len([cell for cell in layout.cells.names if cell.endswith(" runs")]) - 1
        actor = Actor(index, name, place, {}, self._functions)
        built = Built(actor, [None], [()], [()], entry=entry, queue=queue)
        starts: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
        for number, (function, code) in enumerate(zip(functions, codes, strict=True), 1):
            cells = dict(zip(code.variables, registers, strict=False))
            actor.cells = {**self._globals, **cells}
            given = tuple(actor.cells[name] for name in _given(function))
            starts[number] = (len(built.code) if code.operations else 0, given)
            if code.operations:
                self._append(built, code, len(built.code), registers, worker=True)
                self._append_return(built, function, registers)
        built.code[0] = self._take(actor, queue, entry, starts)
        built.code.append(None)  # where a goroutine is that Goexit has ended
        built.keeps.append(())
        built.may_keep.append(())
        built.end = len(built.code) - 1
        return built

    def _append(self, built: Built, code: Code, base: int, registers: tuple[int, ...], worker: bool = False) -> None:
        cells = built.actor.cells
        objects = [n for n in code.variables if " " not in n and self._names.kind((code.name, n)) == "object"]
        for operation in code.operations:
            _resolve_jumps(code, operation)
        for at, operation in enumerate(code.operations):
            built.keeps.append(tuple(cells[name] for name in sorted(operation.alive)))
            built.may_keep.append(tuple(cells[name] for name in objects if name not in operation.alive))
            if operation.op == "settle":
                built.settles.add(base + at)
            if operation.op == "gc":
                built.cycles.add(base + at)
            done = () if worker else registers
            built.code.append(self._instruction(built, operation, base, base + code.end, objects, done))

    def _append_return(self, built: Built, function: Function, registers: tuple[int, ...]) -> None:
        place, entry, index, label = built.actor.place, built.entry, built.actor.index, f"{function.name} returns"

        def returns(state: State) -> Steps:
            after = list(state)
            after[place] = after[entry] = 0
            for cell in registers:
                after[cell] = 0
            return ((index, label, tuple(after)),)

        built.code.append(returns)
        built.keeps.append(())
        built.may_keep.append(())

    def _instruction(
        self, built: Built, operation: Operation, base: int, end: int, objects: Sequence[str], done: tuple[int, ...]
    ) -> Instruction:
        """What ``operation`` does as an instruction; ``done`` are the variables that are gone at ``end``."""
        actor, cells = built.actor, built.actor.cells
        place, index, label = actor.place, actor.index, operation.label
        following, elsewhere = base + operation.next, base + operation.other
        forgets = tuple(cells[name] for name in operation.dies if name not in objects)
        special: dict[str, Any] = {
            "gc": self._gc,
            "settle": self._settle,
            "goexit": self._goexit,
            "register": self._register,
        }
        if operation.op in special:
            made: Instruction = special[operation.op](built, operation, following, done if following == end else ())
            return made
        effect = ResourceMaker(self._layout, self._rules, actor, operation, self._events).effect()
        first = forgets + (done if following == end else ())
        second = forgets + (done if elsewhere == end else ())

        def instruction(state: State) -> Steps:
            after = list(state)
            word = effect(after)
            if word is None:
                after[place] = following
                for cell in first:
                    after[cell] = 0
            elif word is ELSEWHERE:
                after[place] = elsewhere
                for cell in second:
                    after[cell] = 0
            elif word is WAITS:
                return _NOTHING
            return ((index, label, tuple(after)),)

        return instruction

    def _finish(self, built: Built) -> None:
        assert len(built.code) == len(built.keeps) == len(built.may_keep), built.actor.name

    # -- what is more than an effect on the state

    def _exit(self) -> Instruction:
        """The first thread stands for main: when all have come to their end the program ends."""
        ends = [(built.actor.place, built.end) for built in self.threads]

        def exit_(state: State) -> Steps:
            if any(state[place] != end for place, end in ends):
                return _NOTHING
            after = list(state)
            after[END] = "exit"
            return ((0, "exit", tuple(after)),)

        return exit_

    def _gc(self, built: Built, operation: Operation, following: int, done: tuple[int, ...]) -> Instruction:
        place, index = built.actor.place, built.actor.index

        def gc(state: State) -> Steps:
            return self.cycles.steps((*state[:place], following, *state[place + 1 :]), index)

        def last(state: State) -> Steps:
            moved = list(state)
            moved[place] = following
            for cell in done:
                moved[cell] = 0
            return self.cycles.steps(tuple(moved), index)

        return last if done else gc

    def _settle(self, built: Built, operation: Operation, following: int, done: tuple[int, ...]) -> Instruction:
        """Wait until no goroutine of the runtime can go on; one that itself waits for the others counts as blocked.

        A blocked cleanup may hold others back even where cleanups may have several goroutines: they are taken in
        blocks, and another goroutine is only begun by an AddCleanup that comes when there is need of it.
        """
        place, index, label = built.actor.place, built.actor.index, operation.label
        is_worker, queue = built.entry >= 0, self._layout.cleanup_queue

        def busy(other: Built, state: State) -> bool:
            at = state[other.actor.place]
            instruction = other.code[at]
            if instruction is None or (is_worker and at in other.settles):
                return False
            if at == 0 and other.queue == queue and any(state[w.entry] for w in self.workers if w.queue == queue):
                return False
            return bool(instruction(state))

        def settle(state: State) -> Steps:
            if any(busy(other, state) for other in self.workers if other is not built):
                return _NOTHING
            after = list(state)
            after[place] = following
            for cell in done:
                after[cell] = 0
            return ((index, label, tuple(after)),)

        return settle

    def _goexit(self, built: Built, operation: Operation, following: int, done: tuple[int, ...]) -> Instruction:
        """End the goroutine. One of the runtime's is not started again, and keeps what it was at."""
        place, index = built.actor.place, built.actor.index

        def goexit(state: State) -> Steps:
            after = list(state)
            after[place] = built.end
            for cell in set(built.actor.cells.values()) - set(self._globals.values()):
                after[cell] = 0
            return ((index, "goexit", tuple(after)),)

        return goexit

    def _register(self, built: Built, operation: Operation, following: int, done: tuple[int, ...]) -> Instruction:
        """Enter an object's block under its address, which may be that of one that is gone: its entry is lost then."""
        actor, registry, is_object = built.actor, self._layout.registry, self._layout.object - 1
        place, index, label = actor.place, actor.index, operation.label
        key, value = (actor.cells[name] for name in operation.reads)
        forgets = (*(actor.cells[name] for name in operation.dies if " " in name), *done)

        def register(state: State) -> Steps:
            entries = tuple(entry for entry in state[registry] if entry[0] != state[key])
            stale = [entry for entry in entries if state[is_object + entry[0]] == FREED]
            found = []
            for lost in (None, *stale):
                after = list(state)
                kept = (entry for entry in entries if entry != lost)
                after[registry] = tuple(sorted((*kept, (state[key], state[value], 1))))
                after[place] = following
                for cell in forgets:
                    after[cell] = 0
                where = f", at the address of {self._layout.show(lost[0])}" if lost else ""
                found.append((index, label + where, tuple(after)))
            return found

        return register

    def _take(
        self, actor: Actor, queue: int, entry_cell: int, starts: dict[int, tuple[int, tuple[int, ...]]]
    ) -> Instruction:
        """Take any entry of the queue and begin with it: which comes first is not promised."""
        place, index, layout = actor.place, actor.index, self._layout

        def take(state: State) -> Steps:
            entries = state[queue]
            found = []
            for at, entry in enumerate(entries):
                if at and entry == entries[at - 1]:
                    continue
                after = list(state)
                after[queue] = entries[:at] + entries[at + 1 :]
                start, given = starts[entry[1]]
                layout.tell(after, self._event(entry))
                if start:
                    after[place], after[entry_cell] = start, entry
                    values = entry[3:] if len(given) < len(entry) - 2 else entry[2:]
                    for cell, value in zip(given, values, strict=True):
                        after[cell] = value
                found.append((index, self._begins(entry), tuple(after)))
            return found

        return take

    def _event(self, entry: tuple[int, ...]) -> int:
        if entry[1]:
            return self._events[self._test.functions[entry[1] - 1].name]
        return self._events[self._layout.objects[entry[2] - 1].partition("#")[0]]

    def _begins(self, entry: tuple[int, ...]) -> str:
        name = self._test.functions[entry[1] - 1].name if entry[1] else "finalizer"
        return f"begin {name}({self._layout.show(entry[2]) if entry[2] else ''})"


def _numbers(many: int) -> list[int]:
    """No number for the first, then 2, 3, …: ``cleanups``, ``cleanups2``."""
    return [0, *range(2, many + 1)]


def _given(function: Function) -> tuple[str, ...]:
    return (*((function.parameter,) if function.parameter else ()), *function.captures)


def _resolve_jumps(code: Code, operation: Operation) -> None:
    """Let ``operation`` go on where a jump leads, instead of to the jump: jumping is not a step."""
    while operation.next < code.end and code.operations[operation.next].op == "jump":
        operation.next = code.operations[operation.next].next
    while operation.other and operation.other < code.end and code.operations[operation.other].op == "jump":
        operation.other = code.operations[operation.other].next
