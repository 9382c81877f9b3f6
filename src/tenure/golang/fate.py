"""What becomes of one object in the course of a story: reachable, queued, running, resurrected, found again, freed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tenure.explore import Story
from tenure.golang.actor import FINALIZER
from tenure.golang.layout import FREED
from tenure.golang.machine import Machine

__all__ = ["Change", "as_mermaid", "changes"]


class Change(NamedTuple):
    """What an object has come to be, and the step that made it so."""

    fate: str
    by: str


def changes(machine: Machine, story: Story[Any], name: str) -> list[Change]:
    """Each state of the object ``name`` in turn, from the start of ``story``."""
    value = machine.layout.slots[name][0]
    labels = ["", *(f"{moment.move.thread}: {moment.label}" for moment in story.moments)]
    found: list[Change] = []
    for fate, label in zip(_fates(machine, story.states, value), labels, strict=True):
        if not found or found[-1].fate != fate:
            found.append(Change(fate, label))
    return found


def _fates(machine: Machine, states: Sequence[Sequence[Any]], value: int) -> Iterator[str]:
    ran = False
    for state in states:
        queued = any(entry[0] == FINALIZER and entry[2] == value for entry in state[machine.layout.queue])
        entries = [state[worker.entry] for worker in machine.cast.workers]
        running = any(entry and entry[0] == FINALIZER and entry[2] == value for entry in entries)
        ran = ran or running
        if state[machine.layout.object + value - 1] == FREED:
            yield "freed"
        elif queued:
            yield "found again" if ran else "queued"
        elif running:
            yield "running"
        elif machine.cast.cycles.reachable(state) >> value & 1:
            yield "resurrected" if ran else "reachable"
        else:
            yield "unreachable"


def as_mermaid(found: Sequence[Change]) -> str:
    """The states as a diagram that a page can show."""
    names = [change.fate.replace(" ", "_") for change in found]
    lines = ["stateDiagram-v2", f"    [*] --> {names[0]}"]
    for before, after, change in zip(names, names[1:], found[1:], strict=False):
        lines.append(f"    {before} --> {after}: {change.by.replace(': ', ' — ')}")
    return "\n".join(lines)
