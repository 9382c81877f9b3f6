"""What is known at one point of one path: which name holds what, and how each resource stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from tenure.check.modules import Class
from tenure.check.openers import Kind
from tenure.lifecycle import Event, State, follow

__all__ = [
    "GIVEN",
    "KEPT",
    "LENT",
    "NONE",
    "RETURNED",
    "SELF",
    "STORED",
    "Error",
    "Hold",
    "Path",
    "Site",
    "Value",
    "resources_in",
]

#: What a name stands for, as a small tuple whose first member says which of these it is; ``None`` is "no idea".
#:
#: ("k", constant) · ("r", resource) · ("m", resource, method) · ("p", resource, part) · ("t", values) ·
#: ("c", resources) a container of them · ("d", resources) reads through them · ("f", resources) a function over them ·
#: ("h", resources, type, (attribute, resource) pairs) an object that holds on to them and closes none ·
#: ("w", resource) closes it when it is left · ("o", type) · ("each", type) many of that type · ("fn", dotted name) ·
#: ("self",) · ("a", attribute of self)
Value = tuple[Any, ...] | None

NONE: Final = ("k", None)
SELF: Final = ("self",)

#: What was known of a parameter before its name was bound anew is kept under this prefix.
GIVEN: Final = "given:"

KEPT: Final = "kept"  #: somebody else owns it now
RETURNED: Final = "returned"  #: the caller owns it now
STORED: Final = "stored"  #: an attribute of ``self`` holds it
LENT: Final = "lent"  #: a generator has shown it to its caller


class Hold(NamedTuple):
    """How one resource stands on one path."""

    state: State = State.OPEN
    parts: frozenset[str] = frozenset()  #: pipes that are still open although the process has ended
    note: str = ""

    @property
    def open(self) -> bool:
        return self.state is State.OPEN

    @property
    def released(self) -> bool:
        return self.state is State.CLOSED and not self.note

    def after(self, event: Event, note: str = "") -> Hold:
        """How it stands after an event of the lifecycle."""
        return Hold(follow(self.state, event).state, self.parts, note)


@dataclass(eq=False, slots=True)
class Site:
    """A place that opens a resource, or a parameter that brings one."""

    index: int
    node: ast.AST
    kind: Kind
    kind_name: str
    line: int
    parameter: str = ""  #: set for a parameter, which belongs to the caller
    cls: Class | None = None
    statement: ast.stmt | ast.withitem | None = None
    variable: str | None = None
    entered: bool = False  #: a ``with`` that does not close it was seen
    attribute: str = ""  #: the attribute of ``self`` it was stored in
    called: str = ""  #: what was called, as a person would write it
    pipes: frozenset[str] = frozenset()
    meant_to_fail: bool = False  #: a test expects that opening it fails
    late: bool = False  #: it was opened in a ``finally`` or a handler
    doubtful: bool = False  #: it may well have been there before: a helper opens it or passes it on
    parent: int = -1  #: the resource it was opened through: ``s`` for ``s.makefile()``
    adopted: frozenset[int] = frozenset()  #: what it was given to own: closing either is enough

    @property
    def borrowed(self) -> bool:
        return bool(self.parameter)


class Error(NamedTuple):
    """An exception under way: its class as far as known, and how likely it is (1 possible, 2 likely, 3 certain)."""

    type: str
    level: int
    far: bool = False  #: far-fetched: it came from a ``finally`` or a handler, or from wrapping what is open already


def resources_in(value: Value) -> Iterator[int]:
    """Every resource a value holds on to."""
    if value is None:
        return
    tag = value[0]
    if tag in ("r", "m", "p", "w", "pm"):
        yield value[1]
    elif tag in ("c", "d", "f", "cm", "h"):
        yield from value[1]
    elif tag == "t":
        for member in value[1]:
            yield from resources_in(member)


class Path:
    """One state of the walk: immutable once it has been put into the graph, copied before it is changed."""

    __slots__ = ("env", "error", "facts", "held", "result")

    def __init__(
        self,
        env: dict[str, Value],
        held: dict[int, Hold],
        facts: dict[str, bool],
        error: Error | None = None,
        result: Value = None,
    ) -> None:
        self.env = env
        self.held = held
        self.facts = facts
        self.error = error
        self.result = result

    def copy(self) -> Path:
        return Path(self.env.copy(), self.held.copy(), self.facts.copy(), self.error, self.result)

    def key(self) -> tuple[object, ...]:
        """Equal for states that behave alike from here on."""
        return (
            frozenset(self.env.items()),
            frozenset(self.held.items()),
            frozenset(self.facts.items()),
            self.error,
            self.result,
        )

    def put(self, name: str, value: Value) -> None:
        """Bind a name; what was known about conditions over it is over."""
        if value is None:
            self.env.pop(name, None)
        else:
            self.env[name] = value
        self.forget_facts(name)

    def forget_facts(self, name: str) -> None:
        stale = [fact for fact in self.facts if name in fact.replace(".", " ").split()]
        for fact in stale:
            del self.facts[fact]

    def referenced(self) -> set[int]:
        """Every resource some name still leads to."""
        found = {index for value in self.env.values() for index in resources_in(value)}
        found.update(resources_in(self.result))
        return found

    @property
    def any_open(self) -> bool:
        return any(hold.state is State.OPEN for hold in self.held.values())
