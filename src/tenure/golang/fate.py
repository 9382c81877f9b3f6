"""What becomes of one object in the course of a story: reachable, queued, running, resurrected, found again, freed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import Any, Final, NamedTuple

from tenure.explore import Story
from tenure.golang.actor import FINALIZER
from tenure.golang.layout import FREED
from tenure.golang.machine import Machine

__all__ = ["Change", "as_svg", "as_text", "changes"]


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


def as_text(found: Sequence[Change]) -> str:
    """The states to read, one a line, each with the step that led to it."""
    width = max(len(change.fate) for change in found)
    return "\n".join(f"  {change.fate:<{width}}  {change.by}".rstrip() for change in found)


# -- the picture

_BOX, _HIGH, _STEP, _WIDE = 130, 34, 74, 330  #: a box's width and height; from box to box, down and across

_STYLE: Final = """
  text { font: 14px system-ui, sans-serif; fill: #1f2328; text-anchor: middle; dominant-baseline: middle }
  .by { font-size: 12px; fill: #59636e; text-anchor: start }
  path { stroke: #59636e; fill: none }
  rect { stroke: #59636e; stroke-width: 1.5; fill: #ffffff }
  .reachable, .resurrected { fill: #dafbe1; stroke: #1a7f37 }
  .resurrected { stroke-width: 3 }
  .queued, .found-again { fill: #fff8c5; stroke: #9a6700 }
  .running { fill: #ddf4ff; stroke: #0969da }
  .unreachable { stroke-dasharray: 4 3 }
  .freed { fill: #ffebe9; stroke: #cf222e }
"""


def as_svg(found: Sequence[Change], name: str) -> str:
    """The states as a picture: time runs down, and what comes after a resurrection stands in a column of its own."""
    places = list(_places(found))
    width = 20 + _WIDE * (1 + max(column for column, _ in places))
    height = 20 + _STEP * max(row for _, row in places) + _HIGH + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img" aria-label="What becomes of {escape(name)}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" style="fill: #59636e"/></marker></defs>',
        f'<rect width="{width}" height="{height}" style="stroke: none"/>',
    ]
    parts += [_box(change, place) for change, place in zip(found, places, strict=True)]
    parts += [_arrow(change.by, *ends) for change, ends in zip(found[1:], pairwise(places), strict=True)]
    return "\n".join([*parts, "</svg>"])


def _places(found: Sequence[Change]) -> Iterator[tuple[int, int]]:
    column = row = 0
    for change in found:
        yield column, row
        column, row = (column + 1, 0) if change.fate == "resurrected" else (column, row + 1)


def _corner(place: tuple[int, int]) -> tuple[int, int]:
    return 20 + place[0] * _WIDE, 20 + place[1] * _STEP


def _box(change: Change, place: tuple[int, int]) -> str:
    x, y = _corner(place)
    return (
        f'<rect class="{change.fate.replace(" ", "-")}" x="{x}" y="{y}" width="{_BOX}" height="{_HIGH}" rx="6"/>'
        f'<text x="{x + _BOX // 2}" y="{y + _HIGH // 2}">{escape(change.fate)}</text>'
    )


def _arrow(by: str, start: tuple[int, int], end: tuple[int, int]) -> str:
    (x, y), (to_x, to_y) = _corner(start), _corner(end)
    if start[0] == end[0]:
        middle = x + _BOX // 2
        line, text = f"M{middle} {y + _HIGH} V{to_y}", (middle + 10, (y + _HIGH + to_y) // 2)
    else:  # to the head of the next column, whose text stands beside the arrow's last part
        half, middle = to_x - 60, to_x + _BOX // 2
        line = f"M{x + _BOX} {y + _HIGH // 2} H{half} V{to_y + _HIGH // 2} H{to_x}"
        text = (x + _BOX + 10, y + _HIGH // 2 - 10)
    return f'<path d="{line}" marker-end="url(#head)"/><text class="by" x="{text[0]}" y="{text[1]}">{escape(by)}</text>'
