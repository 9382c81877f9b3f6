"""Each operation as a function from a state to the steps it allows, made once for every place in every thread."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from tenure.golang.actor import Actor
from tenure.golang.code import Operation
from tenure.golang.layout import ALLOCATED, CLEANUP, COPIES, END, FREED, IMMORTAL, UNBORN, WEAK, Layout
from tenure.golang.rules import Rules

__all__ = ["ELSEWHERE", "ENDED", "WAITS", "Effect", "Maker"]


#: What an operation does to a state given as a list: None (it is done and goes on), or one of the words.
Effect: TypeAlias = Callable[[list[Any]], "str | None"]

#: The words: it cannot go on now; it goes on elsewhere; it has ended the program (and wrote how).
WAITS: Final = "waits"
ELSEWHERE: Final = "elsewhere"
ENDED: Final = "ended"


class Maker:
    """Makes the effect of one operation; each method is named for the operation it makes."""

    def __init__(
        self, layout: Layout, rules: Rules, actor: Actor, operation: Operation, events: dict[str, int]
    ) -> None:
        self.layout, self.rules, self.actor, self.operation, self.events = layout, rules, actor, operation, events
        self.reads = [actor.cells[name] for name in operation.reads]
        self.captures = [actor.cells[name] for name in operation.captures]
        self.writes = actor.cells[operation.writes] if operation.writes else -1

    def effect(self) -> Effect:
        """What the operation does; those that Python has words for end in ``_`` here."""
        op = self.operation.op
        made: Effect = getattr(self, op + "_" if keyword.iskeyword(op) else op)()
        return made

    # -- how a program ends

    def panicking(self, why: str) -> Effect:
        if self.operation.other:
            return lambda state: ELSEWHERE
        return self.ending(f"panic: {why}")

    @staticmethod
    def ending(how: str) -> Effect:
        def ended(state: list[Any]) -> str:
            state[END] = how
            return ENDED

        return ended

    # -- variables and fields

    def nil(self) -> Effect:
        writes = self.writes

        def nil(state: list[Any]) -> None:
            state[writes] = 0

        return nil

    def copy(self) -> Effect:
        writes, (reads,) = self.writes, self.reads

        def copy(state: list[Any]) -> None:
            state[writes] = state[reads]

        return copy

    def load(self) -> Effect:
        writes, (base,), at, width = self.writes, self.reads, *self._field()
        failed = self.panicking("nil dereference")

        def load(state: list[Any]) -> str | None:
            value = state[base]
            if not value:
                return failed(state)
            state[writes] = state[at + value * width]
            return None

        return load

    def store(self) -> Effect:
        base, *source = self.reads
        at, width = self._field()
        failed = self.panicking("nil dereference")

        def store(state: list[Any]) -> str | None:
            value = state[base]
            if not value:
                return failed(state)
            state[at + value * width] = state[source[0]] if source else 0
            return None

        return store

    def _field(self) -> tuple[int, int]:
        """Where the field would stand of an object ``0``, and how far apart objects' fields are."""
        layout = self.layout
        width = len(layout.fields)
        return layout.field - width + layout.fields.index(self.operation.field), width

    def keepalive(self) -> Effect:
        return lambda state: None

    jump = keepalive

    # -- objects

    def new(self) -> Effect:
        first, writes, slots = self.layout.object - 1, self.writes, self.layout.slots[self.operation.name]
        bound = self.ending(f"unfinished: more than {COPIES} of {self.operation.name}")

        def new(state: list[Any]) -> str | None:
            for value in slots:
                if state[first + value] in (UNBORN, FREED):
                    state[first + value] = ALLOCATED
                    state[writes] = value
                    return None
            return bound(state)

        return new

    def arm(self) -> Effect:
        (reads,), captures = self.reads, self.captures
        number = self.actor.functions[self.operation.name]
        is_object, first = self.layout.object - 1, self.layout.finalizer - 1
        nothing, again = self.ending("throw: finalizer of nil"), self.ending("throw: finalizer already set")
        throws = self.rules.second_finalizer_throws

        def arm(state: list[Any]) -> str | None:
            value = state[reads]
            if not value:
                return nothing(state)
            if state[is_object + value] == IMMORTAL:
                return None
            if state[first + value] and throws:
                return again(state)
            state[first + value] = (number, *(state[cell] for cell in captures))
            return None

        return arm

    def clear(self) -> Effect:
        (reads,), first = self.reads, self.layout.finalizer - 1
        nothing = self.ending("throw: finalizer of nil")

        def clear(state: list[Any]) -> str | None:
            value = state[reads]
            if not value:
                return nothing(state)
            state[first + value] = 0
            return None

        return clear

    def cleanup(self) -> Effect:
        pointer, *argument = self.reads
        number, captures, layout = self.actor.functions[self.operation.name], self.captures, self.layout
        refuse, bound = self.panicking("cleanup would never run"), self.ending("unfinished: more than 4000 cleanups")
        nothing = self.panicking("cleanup of nil")
        checks, writes = self.rules.cleanup_checks_captures, self.writes
        cleanups, handles = layout.cleanups, layout.handles

        def cleanup(state: list[Any]) -> str | None:
            value = state[pointer]
            given = state[argument[0]] if argument else 0
            captured = tuple(state[cell] for cell in captures)
            if not value:
                return nothing(state)
            if given == value or (checks and value in captured):
                return refuse(state)
            if state[handles] >= 4000:
                return bound(state)
            state[handles] += 1
            if state[layout.object + value - 1] != IMMORTAL:
                entry = (value, state[handles], number, given, *captured)
                state[cleanups] = tuple(sorted((*state[cleanups], entry)))
            if writes >= 0:
                state[writes] = CLEANUP + state[handles]
            return None

        return cleanup

    def stop(self) -> Effect:
        (reads,), cleanups = self.reads, self.layout.cleanups

        def stop(state: list[Any]) -> None:
            handle = state[reads] - CLEANUP
            state[cleanups] = tuple(entry for entry in state[cleanups] if entry[1] != handle)

        return stop

    def weak(self) -> Effect:
        writes, (reads,), first, is_object = self.writes, self.reads, self.layout.weak - 1, self.layout.object - 1
        throws, refuse = self.rules.weak_static_throws, self.ending("throw: weak pointer to a package variable")
        bound = self.ending("unfinished: more than 7 weak pointers of one object")

        def weak(state: list[Any]) -> str | None:
            value = state[reads]
            if not value:
                state[writes] = 0
                return None
            if throws and state[is_object + value] == IMMORTAL:
                return refuse(state)
            if not state[first + value] & 1:
                state[first + value] += 3
            if state[first + value] >= 16:
                return bound(state)
            state[writes] = WEAK + value * 16 + state[first + value]
            return None

        return weak

    def strong(self) -> Effect:
        writes, (reads,), first = self.writes, self.reads, self.layout.weak - 1

        def strong(state: list[Any]) -> None:
            value, generation = divmod(state[reads] - WEAK, 16)
            alive = state[reads] and state[first + value] == generation
            state[writes] = value if alive else 0

        return strong

    # -- flow

    def _condition(self) -> Callable[[list[Any]], bool]:
        one, *other = self.reads
        if other:
            return lambda state: bool(state[one] == state[other[0]])
        return lambda state: bool(state[one])

    def _branch(self, wanted: bool) -> Effect:
        holds = self._condition()
        return lambda state: None if holds(state) is wanted else ELSEWHERE

    # -- flags, locks, words and ends

    def if_(self) -> Effect:
        return self._branch(True)

    def unless(self) -> Effect:
        return self._branch(False)

    def raise_(self) -> Effect:
        cell = self._index("flag", self.layout.flag)

        def raise_(state: list[Any]) -> None:
            state[cell] = 1

        return raise_

    def wait(self) -> Effect:
        cell = self._index("flag", self.layout.flag)
        return lambda state: None if state[cell] else WAITS

    def _index(self, kind: str, first: int) -> int:
        return self.layout.cells.names.index(f"{kind} {self.operation.name}", first)

    def lock(self) -> Effect:
        cell = self._index("lock", self.layout.lock)

        def lock(state: list[Any]) -> str | None:
            if state[cell]:
                return WAITS
            state[cell] = 1
            return None

        return lock

    def unlock(self) -> Effect:
        cell, failed = self._index("lock", self.layout.lock), self.ending("throw: unlock of an unlocked mutex")

        def unlock(state: list[Any]) -> str | None:
            if not state[cell]:
                return failed(state)
            state[cell] = 0
            return None

        return unlock

    def block(self) -> Effect:
        return lambda state: WAITS

    def say(self) -> Effect:
        layout, event = self.layout, self.events[self.operation.name]

        def say(state: list[Any]) -> None:
            layout.tell(state, event)

        return say

    def panic(self) -> Effect:
        return self.panicking("panic")

    def exit(self) -> Effect:
        return self.ending(f"exited: {self.operation.label.removeprefix('exit ')}")

    def enter(self) -> Effect:
        (base,), (at, width) = self.reads, self._field()
        failed = self.panicking("nil dereference")

        def enter(state: list[Any]) -> str | None:
            if not state[base]:
                return failed(state)
            cell = at + state[base] * width
            if state[cell] == 1:
                return WAITS
            if state[cell] == 2:
                return ELSEWHERE
            state[cell] = 1
            return None

        return enter

    def leave(self) -> Effect:
        (base,), (at, width) = self.reads, self._field()

        def leave(state: list[Any]) -> None:
            state[at + state[base] * width] = 2

        return leave
