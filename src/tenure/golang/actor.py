"""A thread, or a goroutine of the runtime, as the model sees it: where it stands, its variables, its instructions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

__all__ = ["CLEANUP_ENTRY", "FINALIZER", "Actor", "Built", "Instruction", "State", "Step", "Steps"]

State: TypeAlias = tuple[Any, ...]
Step: TypeAlias = tuple[int, str, State]
Steps: TypeAlias = Sequence[Step]
Instruction: TypeAlias = Callable[[State], Steps]

#: What the first number of a queue's entry says it is; after it come the function, the argument, and what it captures.
FINALIZER: Final = 0
CLEANUP_ENTRY: Final = 1


@dataclass
class Actor:
    """A thread or a goroutine of the runtime: its index, where its place stands, and where its variables stand."""

    index: int
    name: str
    place: int
    cells: dict[str, int]  #: variables' names, globals' with ``@``, to cells
    functions: dict[str, int]  #: functions' names to the numbers closures carry


@dataclass
class Built:
    """One thread or goroutine with its instructions, and for each place the cells of the variables it keeps there."""

    actor: Actor
    code: list[Instruction | None]
    keeps: list[tuple[int, ...]]  #: certainly: they are mentioned later
    may_keep: list[tuple[int, ...]]  #: perhaps: they are not mentioned any more, but the compiler promises nothing
    entry: int = -1  #: the cell of the queue's entry that a goroutine of the runtime is at
    queue: int = -1  #: the cell of the queue that a goroutine of the runtime takes from
    end: int = 0  #: where a thread is when it has come to its end
    cycles: set[int] = field(default_factory=set)  #: the places where it forces a cycle of the collector
    settles: set[int] = field(default_factory=set)  #: the places where it waits for the runtime's goroutines
