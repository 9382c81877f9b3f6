"""What a model offers to be explored: where it starts, what can happen next, what must hold, what is seen at the end.

A model is any object with the six members of `Model`; it inherits nothing. The explorer knows nothing else about it.
A whole model of two threads that add one to a shared number, not atomically:

>>> class Lost:
...     name = "lost"
...     threads = ("p0", "p1")
...
...     def starts(self):
...         return [(0, 0, 0, 0, 0)]  # the number; where p0 and p1 are; what each has read
...
...     def steps(self, state):
...         number, at0, at1, had0, had1 = state
...         found = []
...         if at0 == 0:
...             found.append((0, "read", (number, 1, at1, number, had1)))
...         elif at0 == 1:
...             found.append((0, "write", (had0 + 1, 2, at1, 0, had1)))
...         if at1 == 0:
...             found.append((1, "read", (number, at0, 1, had0, number)))
...         elif at1 == 1:
...             found.append((1, "write", (had1 + 1, at0, 2, had0, 0)))
...         return found
...
...     def broken(self, state):
...         return None
...
...     def broken_at_end(self, state):
...         return None if state[0] == 2 else "an addition was lost"
...
...     def outcome(self, state):
...         return f"number={state[0]}"

How to write one:

* **A state is one flat, hashable tuple**, best of small integers: it is hashed and compared once for every step that
  leads to it. Two states that behave alike should be equal: put a register that is dead back to 0, as ``write`` does
  above, and number what is allocated in the order in which it is found, not by address.
* **A step is ``(thread, label, next state)``**: the index of the thread in ``threads``, what it does, what then is.
  Make labels once (literals, or a table at construction), not by an f-string at each call. A thread with several
  steps in one state chooses; the order in which they are returned is their number in a schedule (``gc.1`` is the
  second), so the order must depend on the state alone.
* **A step that changes nothing is not a step**: leave out a spin or a wait whose condition is false (a blocked thread
  has no step). A state without any step is an end, so something that may go on for ever (a collector) has to
  stop offering steps when there is nothing left to do.
* Everything that happens together is one step; everything that can be interrupted is two.
* ``steps``, ``broken``, ``outcome`` answer from the state alone: same state, same answer, nothing remembered.

Four more things can be offered, each by the members of its own protocol, and each is found by looking for it:
`Symmetric` (states that differ only in names are one), `Footprinted` (the reduction may leave out schedules that
differ only in the order of steps which do not meet), `Parted` (the same search, several times as quick) and `Drawn`
(a picture of a state).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

__all__ = ["Drawing", "Drawn", "Edge", "Footprint", "Footprinted", "Model", "Node", "Parted", "Step", "Symmetric"]

S = TypeVar("S", bound=Hashable)
T = TypeVar("T", contravariant=True)

#: The index of the thread, what it does, and the state it leads to. A plain tuple, because millions are made.
Step: TypeAlias = tuple[int, str, S]

#: What one thread meets: ``(reads, writes, later_reads, later_writes, visible)``. The first four are bit sets of the
#: places (any numbering of the model's own) that its *next* steps read and write, and that *any* of its steps from here
#: to its end may read and write (so ``later`` includes ``next``). What a blocked thread waits for, and what decides
#: which steps it has, counts as read. ``visible`` tells whether one of its next steps may change what ``broken`` says.
#: A thread that has ended is ``(0, 0, 0, 0, False)``. More than the truth is safe, less is not.
Footprint: TypeAlias = tuple[int, int, int, int, bool]


class Model(Protocol[S]):
    """A program of several threads, small enough that every schedule of it can be visited."""

    @property
    def name(self) -> str:
        """What the model is called where its answer is printed."""

    @property
    def threads(self) -> Sequence[str]:
        """The names of the threads, of letters, digits and ``_`` only: a schedule is written with them."""

    def starts(self) -> Iterable[S]:
        """Every state in which it may begin."""

    def steps(self, state: S) -> Sequence[Step[S]]:
        """Every step that can be taken from ``state``; none means that this is an end."""

    def broken(self, state: S) -> str | None:
        """What is wrong in ``state``, if something that must always hold does not."""

    def broken_at_end(self, state: S) -> str | None:
        """What is wrong with ending in ``state``: something forgotten, or threads that wait for ever."""

    def outcome(self, state: S) -> str:
        """What can be seen when it ends in ``state``; ends are told apart, counted and compared by it."""


@runtime_checkable
class Symmetric(Protocol[S]):
    """A model that can name the one state which stands for all that differ from it in names only."""

    def canonical(self, state: S) -> S:
        """The representative of ``state``: equal for two states just if one is the other with names exchanged."""


@runtime_checkable
class Footprinted(Protocol[T]):
    """A model that can tell which places its threads meet, so that fewer schedules need a visit."""

    def footprints(self, state: T) -> Sequence[Footprint]:
        """One `Footprint` for each thread, in the order of ``threads``. Look them up by where the thread stands."""


@runtime_checkable
class Parted(Model[S], Protocol[S]):
    """A model whose states fall into parts, so that a step that was taken once need not be worked out again.

    The first part is what is shared; after it comes what each thread has of its own. A thread's next steps, and what
    they change, depend on what is shared, on its own part, and on the facets of others it asks for, and on nothing
    else. What ``broken``, ``broken_at_end`` and ``outcome`` say depends on what is shared alone; ``canonical``, if
    there is one, exchanges own parts, and which ones depends on own parts alone.
    """

    def parts(self, state: S) -> tuple[Hashable, ...]:
        """What is shared, and then each thread's own, in the order of ``threads``."""

    def whole(self, parts: tuple[Hashable, ...]) -> S:
        """The state of these parts."""

    def facets(self, thread: int, own: Hashable) -> tuple[Hashable, ...]:
        """The thread's own part cut into as much as others may ask for and the rest; together they tell it whole."""

    def asks(self, thread: int, own: Hashable) -> Iterable[tuple[int, int]]:
        """The facets of other threads, as pairs ``(thread, facet)``, that its next steps ask for or change."""

    def steps_of(self, thread: int, state: S) -> Sequence[Step[S]]:
        """Those of ``steps`` that are the thread's."""


class Node(NamedTuple):
    """A box of the picture."""

    name: str  #: what edges refer to; the same thing keeps its name from state to state
    label: str  #: what is written in it
    kind: str  #: ``root``, ``object``, ``native``, ``queue`` or ``dead``: its shape and colour


class Edge(NamedTuple):
    """An arrow between two boxes of the picture."""

    source: str
    target: str
    label: str = ""


class Drawing(NamedTuple):
    """A state as a picture: boxes, arrows, and lines of text beside them."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()
    notes: tuple[str, ...] = ()


@runtime_checkable
class Drawn(Protocol[T]):
    """A model that can draw its states."""

    def draw(self, state: T) -> Drawing:
        """The picture of ``state``."""
