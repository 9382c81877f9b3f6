"""A thread's or a function's steps as a row of simple operations, with what each reads, writes, and keeps alive.

A location with a field is read by an operation of its own, into a variable nobody sees. Between that and its use the
object it was read from may already be out of use: this is where a finalizer can get in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tenure.golang.names import HEAP, Names
from tenure.golang.syntax import Location, Statement, walk

__all__ = ["Code", "Operation", "translate"]

#: The operations that can panic, and so go on after ``recover { … }`` when they stand in it.
_PANICS: Final = ("panic", "load", "store", "cleanup", "pin")


@dataclass
class Operation:
    """One thing that happens at once. Variables are names; a global's name begins with ``@``."""

    op: str
    label: str
    reads: tuple[str, ...] = ()
    writes: str = ""
    name: str = ""
    field: str = ""
    captures: tuple[str, ...] = ()
    next: int = 0
    other: int = 0  #: where else it can go on: after a branch that is not taken, or a panic that is recovered
    dies: tuple[str, ...] = ()  #: variables whose last mention this is
    alive: frozenset[str] = frozenset()  #: variables that are mentioned later, seen from before it


@dataclass
class Code:
    """The operations of one thread or function; the place after the last is its end."""

    name: str
    operations: list[Operation]
    variables: list[str]

    @property
    def end(self) -> int:
        """The place after the last operation."""
        return len(self.operations)


def translate(name: str, body: Sequence[Statement], names: Names, globals_: Sequence[str]) -> Code:
    """The operations of ``body``, with what is alive where."""
    writer = _Writer(name, names, globals_)
    writer.statements(body)
    code = Code(name, writer.operations, [*names.variables.get(name, []), *writer.temporary])
    _liveness(code)
    return code


def _liveness(code: Code) -> None:
    """From the end to the beginning: there are no loops, so once is enough."""
    alive: list[frozenset[str]] = [frozenset()] * (code.end + 1)
    for at in range(code.end - 1, -1, -1):
        operation = code.operations[at]
        after = alive[operation.next] | (alive[operation.other] if operation.other else frozenset())
        mentioned = {name for name in (*operation.reads, *operation.captures) if not name.startswith("@")}
        operation.alive = alive[at] = (after - {operation.writes}) | mentioned
        operation.dies = tuple(sorted(name for name in mentioned if name not in after and name != operation.writes))


class _Writer:
    """Writes operations one after the other; a step that needs more than its operands has a method of its name."""

    def __init__(self, name: str, names: Names, globals_: Sequence[str]) -> None:
        self._name, self._names, self._globals = name, names, globals_
        self.operations: list[Operation] = []
        self.temporary: list[str] = []
        self._used = 0
        self._handlers: list[list[Operation]] = []  #: of every block around that a panic leaves in order
        self._being_done: list[tuple[str, Location]] = []  #: what is being done once

    def statements(self, body: Sequence[Statement]) -> None:
        for statement in body:
            self._used = 0
            getattr(self, "_" + statement.verb, self._simple)(statement)

    # -- parts

    def _add(self, op: str, label: str, *reads: str, **more: object) -> Operation:
        operation = Operation(op, label, reads, **more)  # type: ignore[arg-type]
        operation.next = len(self.operations) + 1
        self.operations.append(operation)
        for handler in self._handlers[-1:]:
            handler.append(operation)
        return operation

    def _temporary(self) -> str:
        """A variable that nobody sees, of which a step needs few: the next step can have the same again."""
        name = f"loaded {self._used}"
        self._used += 1
        if name not in self.temporary:
            self.temporary.append(name)
        return name

    def _variable(self, name: str) -> str:
        return "@" + name if name in self._globals else name

    def _value(self, location: Location) -> str:
        """A variable that holds what ``location`` does; reads the field first, where there is one."""
        if self._name == HEAP:
            return self._heap_value(location)
        base = self._variable(location.name)
        if not location.field:
            return base
        temporary = self._temporary()
        self._add("load", f"load {location}", base, writes=temporary, field=location.field)
        return temporary

    def _heap_value(self, location: Location) -> str:
        if location.field and location.name in self._names.variables:
            return f"{location.name}.{location.field}"
        if not location.field:
            return self._variable(location.name)
        temporary = self._temporary()
        self._add("load", f"load {location}", self._variable(location.name), writes=temporary, field=location.field)
        return temporary

    def _target(self, op: str, label: str, target: Location | None, *reads: str, **more: object) -> None:
        """An operation whose value goes where ``target`` says, by way of a variable nobody sees if that is a field."""
        if target is None:
            self._add(op, label, *reads, **more)
        elif not target.field or (self._name == HEAP and target.name in self._names.variables):
            name = str(target) if target.field else self._variable(target.name)
            self._add(op, label, *reads, writes=name, **more)
        else:
            temporary = self._temporary()
            self._add(op, label, *reads, writes=temporary, **more)
            self._add("store", f"store {target}", self._variable(target.name), temporary, field=target.field)

    # -- steps

    def _simple(self, statement: Statement) -> None:
        verb = statement.verb
        values = [self._value(location) for location in statement.locations]
        words = " ".join([verb, *map(str, statement.locations), *([statement.name] if statement.name else [])])
        label = f"{statement.target} = {words}" if statement.target else words
        self._target(verb, label, statement.target, *values, name=statement.name)

    def _nil(self, statement: Statement) -> None:
        target = statement.target
        assert target is not None
        if target.field and not (self._name == HEAP and target.name in self._names.variables):
            self._add("store", f"{target} = nil", self._variable(target.name), field=target.field)
        else:
            self._target("nil", f"{target} = nil", target)

    def _drop(self, statement: Statement) -> None:
        name = statement.locations[0].name
        self._add("nil", f"drop {name}", writes=self._variable(name))

    def _copy(self, statement: Statement) -> None:
        target, (source,) = statement.target, statement.locations
        assert target is not None
        label = f"{target} = {source}"
        loads = bool(source.field) and not (self._name == HEAP and source.name in self._names.variables)
        if loads and not target.field:
            base = self._variable(source.name)
            self._add("load", label, base, writes=self._variable(target.name), field=source.field)
        elif target.field and not (self._name == HEAP and target.name in self._names.variables):
            value = self._value(source)
            self._add("store", label, self._variable(target.name), value, field=target.field)
        else:
            self._target("copy", label, target, self._value(source))

    def _finalizer(self, statement: Statement) -> None:
        value = self._value(statement.locations[0])
        function = statement.function
        if function is None:
            self._add("clear", f"finalizer {statement.locations[0]} nil", value)
            return
        captures = tuple(self._value(location) for location in function.captures)
        label = f"finalizer {statement.locations[0]} {function}".rstrip()
        self._add("arm", label, value, name=function.name, captures=captures)

    def _cleanup(self, statement: Statement) -> None:
        function = statement.function
        assert function is not None
        values = [self._value(location) for location in statement.locations]
        captures = tuple(self._value(location) for location in function.captures)
        words = f"cleanup {statement.locations[0]} {function} {' '.join(map(str, statement.locations[1:]))}".rstrip()
        label = f"{statement.target} = {words}" if statement.target else words
        self._target("cleanup", label, statement.target, *values, name=function.name, captures=captures)

    def _cycle(self, statement: Statement) -> None:
        for _ in range(max(statement.number, 1) if statement.number else 0):
            self._add("gc", "gc")
            self._add("settle", "settle")

    def _exit(self, statement: Statement) -> None:
        self._add("exit", f"exit {max(statement.number, 0)}")

    def _if(self, statement: Statement) -> None:
        self._branch("if", statement)

    def _unless(self, statement: Statement) -> None:
        self._branch("unless", statement)

    def _branch(self, op: str, statement: Statement) -> None:
        values = [self._value(location) for location in statement.locations]
        branch = self._add(op, f"{op} {' = '.join(map(str, statement.locations))}", *values)
        self.statements(statement.body)
        if statement.orelse:
            jump = self._add("jump", "past else")
            branch.other = len(self.operations)
            self.statements(statement.orelse)
            jump.next = len(self.operations)
        else:
            branch.other = len(self.operations)

    def _once(self, statement: Statement) -> None:
        location = statement.locations[0]
        base = self._held(location, statement.body)
        recovered = bool(self._handlers)
        if recovered:
            self._value(location)  # of nil this panics
        enter = self._add("enter", f"once {location}", base, field=location.field)
        self._being_done.append((base, location))
        panics = self._panics_in(statement.body) if recovered else self._unguarded(statement.body)
        self._being_done.pop()
        self._leave(base, location)
        if panics:
            jump = self._add("jump", "past the panic")
            self._goes_on(panics)
            self._leave(base, location)
            self._add("panic", "panic goes on")
            jump.next = len(self.operations)
        enter.other = len(self.operations)

    def _held(self, location: Location, body: Sequence[Statement]) -> str:
        """A variable with what ``location`` is a field of, which nobody sets while ``body`` runs."""
        steps = list(walk(body))
        targets = [step.target for step in steps if step.target]
        targets += [step.locations[0] for step in steps if step.verb == "drop"]
        base = self._variable(location.name)
        if location.name not in self._globals and location.name not in map(str, targets):
            return base
        held = f"once {len(self._being_done)}"
        if held not in self.temporary:
            self.temporary.append(held)
        self._add("copy", f"once {location}", base, writes=held)
        return held

    def _leave(self, base: str, location: Location) -> None:
        self._add("leave", f"end of once {location}", base, field=location.field)

    def _goexit(self, statement: Statement) -> None:
        """What is done once is done then, too."""
        for base, location in reversed(self._being_done):
            self._leave(base, location)
        self._simple(statement)

    def _recover(self, statement: Statement) -> None:
        self._goes_on(self._panics_in(statement.body))

    def _unguarded(self, body: Sequence[Statement]) -> list[Operation]:
        """Write ``body``, in which a panic ends the program."""
        self.statements(body)
        return []

    def _goes_on(self, panics: Sequence[Operation]) -> None:
        """What is written next is where these panics lead."""
        for operation in panics:
            operation.other = len(self.operations)

    def _panics_in(self, body: Sequence[Statement]) -> list[Operation]:
        """Write ``body``; the operations in it that may panic, and do not know yet what comes then."""
        self._handlers.append([])
        self.statements(body)
        return [operation for operation in self._handlers.pop() if operation.op in _PANICS]
