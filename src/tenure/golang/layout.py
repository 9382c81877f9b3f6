"""Where everything stands in a state: a flat tuple with a cell for each object's parts, each variable and each thread.

A value is one integer: 0 is nil, 1 to N an object, and above that come native blocks, weak pointers, cleanups' handles
and descriptors, each kind in a range of its own. The cells that a test does not need are not there, because every cell
is copied and hashed at every step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from tenure.golang.names import HEAP, Names
from tenure.golang.syntax import Litmus

__all__ = [
    "ADDRESS",
    "ALLOCATED",
    "CLEANUP",
    "COPIES",
    "CYCLE_BITS",
    "DESCRIPTOR",
    "END",
    "FREED",
    "IMMORTAL",
    "LOG",
    "UNBORN",
    "WEAK",
    "Cells",
    "Layout",
    "State",
]

State = tuple[object, ...]

#: What an object or a native block is.
UNBORN: Final = 0
ALLOCATED: Final = 1
FREED: Final = 2
IMMORTAL: Final = 3  #: a package variable, or an object of no size: never collected

#: The first value of each kind; generations and descriptors' numbers are below 16, which `Layout` watches over.
WEAK: Final = 1000
CLEANUP: Final = 5000
DESCRIPTOR: Final = 10000
ADDRESS: Final = 20000

#: The cells of every state: how it ended (0: it has not), and what was told.
END: Final = 0
LOG: Final = 1

#: What is told is the event's number above these bits, and the cycle's number in them.
CYCLE_BITS: Final = 24

#: A function may be run again, so each object or block it makes can exist this many times before the bound is hit.
COPIES: Final = 4


@dataclass
class Cells:
    """Cells in the order in which they are asked for, each with its name and first value."""

    names: list[str] = field(default_factory=list)
    first: list[object] = field(default_factory=list)

    def add(self, name: str, first: object = 0) -> int:
        """A new cell's index."""
        self.names.append(name)
        self.first.append(first)
        return len(self.names) - 1

    def row(self, names: list[str], first: object = 0) -> int:
        """The index of the first of several cells in a row."""
        start = len(self.names)
        for name in names:
            self.add(name, first)
        return start


class Layout:
    """The cells of one test. A cell that the test does not need has the index -1."""

    def __init__(self, test: Litmus, names: Names) -> None:
        self.cells = Cells()
        verbs = {statement.verb for statement in test.statements()}
        self.verbs = verbs
        self.slots: dict[str, tuple[int, ...]] = {}  #: the values each object's or block's name stands for
        self.objects = self._copies(names.objects, names, 1)
        self.blocks = self._copies(names.blocks, names, len(self.objects) + 1)
        self.fields, self.files = names.fields, names.files
        add, row = self.cells.add, self.cells.row
        add("end")
        add("log", ())
        self.cycle = add("cycle")
        self.queue = add("queue", ())
        self.cleanup_queue = self._if("cleanup" in verbs, "cleanup queue", ())
        self.cleanups = self._if("cleanup" in verbs, "cleanups", ())
        self.handles = self._if("cleanup" in verbs, "handles")
        self.pool = self._if("pool" in verbs, "pool", ())
        self.pins = self._if("pin" in verbs, "pins", ())
        self.registry = self._if("register" in verbs, "registry", ())
        self.open_files = self._if("open" in verbs, "descriptors", ())
        n = len(self.objects)
        self.object = row([f"{name} is" for name in self.objects])
        self.finalizer = row([f"{name}'s finalizer" for name in self.objects]) if "finalizer" in verbs else -1
        self.weak = row([f"{name}'s weak pointer" for name in self.objects]) if "weak" in verbs else -1
        self.due = row([f"{name} survives" for name in self.objects]) if "finalizer" in verbs else -1
        self.field = row([f"{name}.{field}" for name in self.objects for field in self.fields])
        self.block = row([f"block {name}" for name in self.blocks])
        self.flag = row([f"flag {name}" for name in names.flags])
        self.lock = row([f"lock {name}" for name in names.locks])
        self.globals = row(list(test.globals))
        self.global_count = len(test.globals)
        self.count = n
        self.ordered = False  #: whether the log keeps the order in which things happened
        self.counted = True  #: whether it keeps the cycle in which they did
        self.told: frozenset[int] = frozenset()  #: the events that are kept at all

    def _copies(self, names: list[str], resolved: Names, first: int) -> list[str]:
        """Every instance of the things called ``names``; notes which values stand for each name."""
        many = {name for scope, made in resolved.made.items() for name in made if self._is_function(scope, resolved)}
        found: list[str] = []
        for name in names:
            copies = [name, *(f"{name}#{copy}" for copy in range(2, COPIES + 1))] if name in many else [name]
            start = first + len(found)
            self.slots[name] = tuple(range(start, start + len(copies)))
            found += copies
        return found

    @staticmethod
    def _is_function(scope: str, resolved: Names) -> bool:
        return scope != HEAP and scope in resolved.labels

    def _if(self, needed: bool, name: str, first: object = 0) -> int:
        return self.cells.add(name, first) if needed else -1

    def tell(self, state: list[Any], event: int) -> None:
        """Write ``event`` into the log of ``state``, if anybody asks for it."""
        if event in self.told:
            log = (*state[LOG], event << CYCLE_BITS | state[self.cycle])
            state[LOG] = log if self.ordered else tuple(sorted(log))

    def field_of(self, value: int, name: str) -> int:
        """The cell of one field of the object ``value``."""
        return self.field + (value - 1) * len(self.fields) + self.fields.index(name)

    def show(self, value: object) -> str:
        """A value as the person who wrote the test would say it."""
        assert isinstance(value, int)
        if value == 0:
            return "nil"
        if value <= self.count:
            return self.objects[value - 1]
        if value >= ADDRESS:
            return "address"
        if value >= DESCRIPTOR:
            return self.files[(value - DESCRIPTOR) // 16]
        if value >= CLEANUP:
            return "cleanup"
        if value >= WEAK:
            return "weak"
        return self.blocks[value - self.count - 1]
