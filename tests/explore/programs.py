"""Models that the explorer's tests explore: small classics, and any program that can be drawn by chance."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from tenure.explore.model import Drawing, Edge, Footprint, Node, Step

__all__ = ["Counters", "LostUpdate", "Meeting", "Op", "Philosophers", "Program", "code", "programs"]

State = tuple[int, ...]


class Counters:
    """``count`` threads, each counting to ``top`` on its own: every interleaving, nothing shared."""

    def __init__(self, count: int, top: int) -> None:
        self.name = "counters"
        self.threads = tuple(f"p{i}" for i in range(count))
        self.top = top

    def starts(self) -> list[State]:
        return [(0,) * len(self.threads)]

    def steps(self, state: State) -> list[Step[State]]:
        return [
            (i, "add one", (*state[:i], value + 1, *state[i + 1 :]))
            for i, value in enumerate(state)
            if value < self.top
        ]

    def broken(self, state: State) -> str | None:
        return None

    def broken_at_end(self, state: State) -> str | None:
        return None

    def outcome(self, state: State) -> str:
        return "all at the top" if set(state) == {self.top} else f"{state}"

    def footprints(self, state: State) -> list[Footprint]:
        return [(1 << i, 1 << i, 1 << i, 1 << i, False) for i in range(len(self.threads))]

    def canonical(self, state: State) -> State:
        return tuple(sorted(state))


class LostUpdate:
    """Threads that each read a number and then write one more; state: number, then for each thread 0, 1 + read, -1."""

    def __init__(self, count: int = 2) -> None:
        self.name = "lost update"
        self.threads = tuple(f"p{i}" for i in range(count))

    def starts(self) -> list[State]:
        return [(0,) * (len(self.threads) + 1)]

    def steps(self, state: State) -> list[Step[State]]:
        number, found = state[0], []
        for i, at in enumerate(state[1:], 1):
            if at == 0:
                found.append((i - 1, f"read {number}", (number, *state[1:i], number + 1, *state[i + 1 :])))
            elif at > 0:
                found.append((i - 1, f"write {at}", (at, *state[1:i], -1, *state[i + 1 :])))
        return found

    def broken(self, state: State) -> str | None:
        return None

    def broken_at_end(self, state: State) -> str | None:
        return None if state[0] == len(self.threads) else "an addition was lost"

    def outcome(self, state: State) -> str:
        return f"number={state[0]}"

    def draw(self, state: State) -> Drawing:
        boxes = [Node("number", f"number {state[0]}", "root")]
        arrows = []
        for name, at in zip(self.threads, state[1:], strict=True):
            if at > 0:
                boxes.append(Node(name, f"{name} read {at - 1}", "object"))
                arrows.append(Edge(name, "number", "read"))
        return Drawing(tuple(boxes), tuple(arrows), (f"the number is {state[0]}",))


class Philosophers:
    """Each takes the fork at the left, then the one at the right; state: the owner of each fork, then forks held."""

    def __init__(self, count: int) -> None:
        self.name = "philosophers"
        self.threads = tuple(f"ph{i}" for i in range(count))
        self.count = count

    def starts(self) -> list[State]:
        return [(0,) * (2 * self.count)]

    def steps(self, state: State) -> list[Step[State]]:
        found = []
        n = self.count
        for i in range(n):
            held = state[n + i]
            fork = (i + held) % n
            if held < 2 and not state[fork]:
                found.append((i, "take left" if not held else "take right", self._set(state, fork, i + 1, i, held + 1)))
            elif held == 2:
                after = self._set(state, i, 0, i, 3)
                found.append((i, "eat", self._set(after, (i + 1) % n, 0, i, 3)))
        return found

    def _set(self, state: State, fork: int, owner: int, who: int, held: int) -> State:
        changed = list(state)
        changed[fork], changed[self.count + who] = owner, held
        return tuple(changed)

    def broken(self, state: State) -> str | None:
        return None

    def broken_at_end(self, state: State) -> str | None:
        return None if set(state[self.count :]) == {3} else "everybody waits for a fork"

    def outcome(self, state: State) -> str:
        return "all have eaten" if set(state[self.count :]) == {3} else "deadlock"

    def footprints(self, state: State) -> list[Footprint]:
        n = self.count
        found: list[Footprint] = []
        for i in range(n):
            held, both = state[n + i], 1 << i | 1 << (i + 1) % n
            now = (1 << i, 1 << (i + 1) % n, both, 0)[held]
            later = both if held < 3 else 0
            found.append((now, now, later, later, False))
        return found


class Op(NamedTuple):
    """``set place = value``, ``add``, ``copy other to place``, ``wait until place == value``, ``claim place != value``,
    ``either`` set or leave, ``again``: back to the first step while ``place == value``."""

    kind: str
    place: int
    value: int
    other: int = 0


PLACES: Final = 3


class Program:
    """Any small program: ``PLACES`` shared numbers below 3, and threads that are lists of `Op`.

    State: where each thread stands, the places, and what broken claim was met (0: none).
    """

    name = "program"

    def __init__(self, threads: Sequence[Sequence[Op]]) -> None:
        self.code = tuple(tuple(ops) for ops in threads)
        self.threads = tuple(f"p{i}" for i in range(len(self.code)))

    def __repr__(self) -> str:
        return f"Program({self.code!r})"

    def starts(self) -> list[State]:
        return [(0,) * (len(self.code) + PLACES + 1)]

    def steps(self, state: State) -> list[Step[State]]:
        return [
            (i, str(tuple(ops[state[i]])), after)
            for i, ops in enumerate(self.code)
            if state[i] < len(ops)
            for after in self._after(state, i, ops[state[i]])
        ]

    def _after(self, state: State, i: int, op: Op) -> list[State]:
        here = len(self.code) + op.place
        if op.kind == "wait" and state[here] != op.value:
            return []
        after = list(state)
        after[i] += 1
        if op.kind in ("set", "either"):
            after[here] = op.value
        elif op.kind == "add":
            after[here] = (state[here] + 1) % 3
        elif op.kind == "copy":
            after[here] = state[len(self.code) + op.other]
        elif op.kind == "claim" and state[here] == op.value:
            after[-1] = 1 + op.place
        elif op.kind == "again" and state[here] == op.value:
            after[i] = 0
        first = tuple(after)
        after[here] = state[here]
        found = [first, tuple(after)] if op.kind == "either" and tuple(after) != first else [first]
        return [then for then in found if then != state]

    def broken(self, state: State) -> str | None:
        return f"place {state[-1] - 1} has the value it was claimed not to have" if state[-1] else None

    def broken_at_end(self, state: State) -> str | None:
        waiting = [i for i, ops in enumerate(self.code) if state[i] < len(ops)]
        return "somebody waits for ever" if waiting else None

    def outcome(self, state: State) -> str:
        return str(state)

    def footprints(self, state: State) -> list[Footprint]:
        return [self._footprint(ops, state[i]) for i, ops in enumerate(self.code)]

    def _footprint(self, ops: tuple[Op, ...], at: int) -> Footprint:
        if at >= len(ops):
            return (0, 0, 0, 0, False)
        loops = any(op.kind == "again" for op in ops[at:])
        reads, writes, visible = met(ops[at])
        later_reads = later_writes = 0
        for op in ops if loops else ops[at:]:
            also_reads, also_writes, _ = met(op)
            later_reads |= also_reads
            later_writes |= also_writes
        return (reads, writes, later_reads, later_writes, visible)


class Meeting(Program):
    """A program in parts, whose threads at their end wait for each other before the first of them tells it.

    State: as before, and at the end what was told. What is seen at an end is the places and what was told.
    """

    name = "meeting"

    def starts(self) -> list[State]:
        return [(*start, 0) for start in super().starts()]

    def steps(self, state: State) -> list[Step[State]]:
        return [step for i in range(len(self.code)) for step in self.steps_of(i, state)]

    def steps_of(self, thread: int, state: State) -> list[Step[State]]:
        ops, at = self.code[thread], state[thread]
        if at < len(ops):
            return [
                (thread, str(tuple(ops[at])), (*then, state[-1])) for then in self._after(state[:-1], thread, ops[at])
            ]
        ended = all(state[i] >= len(ops) for i, ops in enumerate(self.code))
        return [(0, "tell", (*state[:-1], 1))] if ended and not thread and not state[-1] else []

    def parts(self, state: State) -> tuple[Hashable, ...]:
        many = len(self.code)
        return (state[many:], *state[:many])

    def whole(self, parts: tuple[Any, ...]) -> State:
        shared, *own = parts
        return (*own, *shared)

    def facets(self, thread: int, own: Any) -> tuple[Hashable, ...]:
        return own >= len(self.code[thread]), own

    def asks(self, thread: int, own: Any) -> list[tuple[int, int]]:
        return [(i, 0) for i in range(len(self.code))] if own >= len(self.code[thread]) else []

    def broken(self, state: State) -> str | None:
        return super().broken(state[:-1])

    def broken_at_end(self, state: State) -> str | None:
        return None if state[-1] else "somebody waits for ever"

    def outcome(self, state: State) -> str:
        return str(state[len(self.code) :])

    footprints = None  # type: ignore[assignment]  # it has none, or the reduction would be preferred to its parts


def met(op: Op) -> tuple[int, int, bool]:
    """The places that ``op`` reads and writes, and whether it may break a claim; the claim's note is a place too."""
    here, other, note = 1 << op.place, 1 << op.other, 1 << PLACES
    return {
        "set": (0, here, False),
        "either": (here, here, False),
        "add": (here, here, False),
        "copy": (other, here, False),
        "wait": (here, 0, False),
        "claim": (here, note, True),
        "again": (here, 0, False),
    }[op.kind]


def code(most_threads: int = 3, most_steps: int = 4) -> st.SearchStrategy[list[list[Op]]]:
    """What two threads and more do."""
    op = st.builds(
        Op,
        st.sampled_from(["set", "add", "copy", "wait", "claim", "either", "again"]),
        st.integers(0, PLACES - 1),
        st.integers(0, 2),
        st.integers(0, PLACES - 1),
    )
    thread = st.lists(op, min_size=1, max_size=most_steps)
    return st.lists(thread, min_size=2, max_size=most_threads)


def programs(most_threads: int = 3, most_steps: int = 4) -> st.SearchStrategy[Program]:
    """Programs of two threads and more."""
    return code(most_threads, most_steps).map(Program)
