"""A litmus test as it was written: names, steps, functions, threads and question, not yet what they do."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tenure.golang.tokens import Place

__all__ = [
    "BLOCKS",
    "ENDS",
    "MAKERS",
    "VERBS",
    "Atom",
    "Both",
    "Either",
    "Expression",
    "Function",
    "Litmus",
    "Location",
    "Not",
    "Question",
    "Reference",
    "Statement",
    "Thread",
    "atoms",
    "walk",
]


_HERE: Final = Place(0, 0)


@dataclass(frozen=True, slots=True)
class Location:
    """A variable, or a field of what a variable refers to."""

    name: str
    field: str = ""
    place: Place = dataclasses.field(default=_HERE, compare=False)

    def __str__(self) -> str:
        return f"{self.name}.{self.field}" if self.field else self.name


@dataclass(frozen=True, slots=True)
class Reference:
    """A function and the variables its closure captures: ``free[p q]``."""

    name: str
    captures: tuple[Location, ...] = ()
    place: Place = dataclasses.field(default=_HERE, compare=False)

    def __str__(self) -> str:
        return f"{self.name}[{' '.join(map(str, self.captures))}]" if self.captures else self.name


@dataclass(frozen=True, slots=True)
class Statement:
    """One step of a thread, a function or the heap: ``target = verb operands { body } else { orelse }``."""

    verb: str
    target: Location | None = None
    locations: tuple[Location, ...] = ()
    function: Reference | None = None
    name: str = ""
    number: int = -1
    body: tuple[Statement, ...] = ()
    orelse: tuple[Statement, ...] = ()
    place: Place = dataclasses.field(default=_HERE, compare=False)


#: What each step is followed by. ``L`` a location, ``V`` a variable, ``F`` a function or nil, ``f`` a function,
#: ``l`` perhaps a location, ``W`` a word, ``n`` perhaps a number. A step that needs another entry needs no other code
#: in the parser.
VERBS: Final[dict[str, str]] = {
    "drop": "V",
    "finalizer": "LF",
    "cleanup": "Lfl",
    "stop": "L",
    "keepalive": "V",
    "gc": "",
    "settle": "",
    "cycle": "n",
    "wait": "W",
    "raise": "W",
    "lock": "W",
    "unlock": "W",
    "block": "",
    "say": "W",
    "panic": "",
    "goexit": "",
    "exit": "n",
    "use": "L",
    "free": "L",
    "read": "L",
    "close": "L",
    "register": "LL",
    "unregister": "L",
    "scan": "",
    "pool": "L",
    "pin": "L",
    "unpin": "",
    "object": "W",
    "static": "W",
    "zero": "W",
}

#: What can stand to the right of ``=``, in the same letters; ``copy`` is a location without a word before it.
MAKERS: Final[dict[str, str]] = {
    "new": "W",
    "malloc": "W",
    "open": "W",
    "weak": "L",
    "strong": "L",
    "cleanup": "Lfl",
    "lookup": "L",
    "address": "L",
    "pointer": "L",
}

#: Steps that hold other steps, and what stands before the brace; ``e`` is perhaps ``=`` and a location.
BLOCKS: Final[dict[str, str]] = {"if": "Le", "unless": "Le", "once": "L", "recover": ""}

#: How a program can end, apart from all its threads coming to their end.
ENDS: Final[tuple[str, ...]] = ("throw", "panic", "crash", "deadlock", "leak", "exited")


@dataclass(frozen=True, slots=True)
class Function:
    """A finalizer's or a cleanup's function."""

    name: str
    parameter: str = ""
    captures: tuple[str, ...] = ()
    body: tuple[Statement, ...] = ()
    place: Place = dataclasses.field(default=_HERE, compare=False)


@dataclass(frozen=True, slots=True)
class Thread:
    """A column of the test."""

    name: str
    body: tuple[Statement, ...] = ()
    place: Place = dataclasses.field(default=_HERE, compare=False)


@dataclass(frozen=True, slots=True)
class Atom:
    """The smallest part of a question: an event, a variable's last value, what was freed, or how it ended."""

    kind: str  #: ``event``, ``before``, ``variable``, ``freed`` or one of `ENDS`
    name: str = ""
    other: str = ""
    cycle: int | None = None
    times: int | None = None
    place: Place = dataclasses.field(default=_HERE, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """A question turned round."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class Both:
    """Two questions of which both must hold."""

    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Either:
    """Two questions of which one is enough."""

    left: Expression
    right: Expression


Expression: TypeAlias = Atom | Not | Both | Either


@dataclass(frozen=True, slots=True)
class Question:
    """``exists``, ``forbidden`` or ``always``, and of what."""

    quantifier: str
    expression: Expression
    text: str = ""


@dataclass(frozen=True, slots=True)
class Litmus:
    """A whole test."""

    name: str
    sentence: str
    threads: tuple[Thread, ...]
    question: Question
    authority: str = ""
    rules: tuple[str, str] = ("", "")
    procs: int = 2
    globals: tuple[str, ...] = ()
    heap: tuple[Statement, ...] = ()
    functions: tuple[Function, ...] = ()
    observe: tuple[str, ...] = ()
    origin: str = dataclasses.field(default="", compare=False)
    #: Where the globals and what is observed are named: ``global 0``, ``observe 2``.
    places: dict[str, Place] = dataclasses.field(default_factory=dict, compare=False)

    @property
    def parts(self) -> tuple[Function | Thread, ...]:
        """Everything with steps of its own, apart from the heap."""
        return self.functions + self.threads

    def statements(self) -> Iterator[Statement]:
        """Every step that is written anywhere, also those inside others."""
        yield from walk(self.heap)
        for part in self.parts:
            yield from walk(part.body)


def walk(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Each statement, and those inside it after it."""
    for statement in statements:
        yield statement
        yield from walk(statement.body)
        yield from walk(statement.orelse)


def atoms(expression: Expression) -> Iterator[Atom]:
    """The atoms of a question from left to right."""
    match expression:
        case Atom():
            yield expression
        case Not(inner):
            yield from atoms(inner)
        case Both(left, right) | Either(left, right):
            yield from atoms(left)
            yield from atoms(right)
