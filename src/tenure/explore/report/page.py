"""A story as one HTML file that needs nothing else: a lane for each thread, the heap at each step, a slider."""

from __future__ import annotations

import html
import json
from collections.abc import Hashable, Sequence
from importlib.resources import files
from typing import Any, Final, TypeVar

from tenure.explore.model import Drawing, Drawn, Model
from tenure.explore.story import Story
from tenure.explore.verdict import Answer

__all__ = ["as_page", "placed"]

S = TypeVar("S", bound=Hashable)

_CHARACTER: Final = 8.0  #: how wide one is, about
_HIGH: Final = 34.0
_GAP_X: Final = 84.0
_GAP_Y: Final = 30.0
_MARGIN: Final = 40.0  #: room enough for an arrow that goes over a box


def as_page(model: Model[S], answer: Answer[S], story: Story[S] | None = None) -> str:
    """The page of ``story``: by default the one that breaks the model, else a witness of what is seen at the end."""
    told = story or answer.story or next(iter(outcome.witness for outcome in answer.outcomes.values()), None)
    if told is None:
        raise ValueError(f"{model.name}: there is no story to show, because no schedule has come to an end")
    drawings = [_drawing(model, state) for state in told.states]
    data = {
        "model": answer.model,
        "verdict": answer.verdict.value,
        "because": answer.fault or answer.why_unfinished,
        "about": f"{told.length} steps, {told.schedule.switches} switches; {answer.effort.states:,} states visited",
        "schedule": str(told.schedule),
        "threads": [name for name in model.threads if any(m.move.thread == name for m in told.moments)],
        "steps": [{"thread": moment.move.thread, "does": moment.label} for moment in told.moments],
        "fault": told.fault,
        "ending": told.fault or told.outcome or "it can go on from here",
        "drawings": [_as_data(drawing) for drawing in drawings],
        "layout": placed(drawings),
    }
    # Inside a script element only "<" can end the data; no label of a model can be taken for markup.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    page = files("tenure.explore.report").joinpath("page.html").read_text("utf-8")
    return page.replace("@TITLE@", html.escape(f"{answer.model}: {answer.verdict.value}")).replace("@DATA@", text)


def _drawing(model: Model[S], state: S) -> Drawing:
    return model.draw(state) if isinstance(model, Drawn) else Drawing(notes=(repr(state),))


def _as_data(drawing: Drawing) -> dict[str, Any]:
    known = {node.name for node in drawing.nodes}
    return {
        "nodes": [node._asdict() for node in drawing.nodes],
        "edges": [edge._asdict() for edge in drawing.edges if {edge.source, edge.target} <= known],
        "notes": drawing.notes,
    }


def placed(drawings: Sequence[Drawing]) -> dict[str, Any]:
    """Where each box stands in all of ``drawings``: in columns, roots at the left, what they point to at the right.

    A box keeps its place from the first picture to the last, so that what moves is what happens.
    """
    widths: dict[str, float] = {}
    for node in (node for drawing in drawings for node in drawing.nodes):
        widths[node.name] = max(widths.get(node.name, 70.0), len(node.label) * _CHARACTER + 26)
    places: dict[str, dict[str, float]] = {}
    left = _MARGIN
    columns = _columns(drawings, list(widths))
    tallest = max(map(len, columns), default=0)
    for column in columns:
        width = max(widths[name] for name in column)
        top = _MARGIN + (tallest - len(column)) * (_HIGH + _GAP_Y) / 2
        for row, name in enumerate(column):
            middle = top + row * (_HIGH + _GAP_Y) + _HIGH / 2
            places[name] = {"x": left + width / 2, "y": middle, "w": widths[name], "h": _HIGH}
        left += width + _GAP_X
    height = tallest * (_HIGH + _GAP_Y) - _GAP_Y + 2 * _MARGIN
    return {"places": places, "width": max(left - _GAP_X + _MARGIN, 320), "height": max(height, 0)}


def _columns(drawings: Sequence[Drawing], names: list[str]) -> list[list[str]]:
    """The boxes by their longest way from a root or a queue, over all arrows of all drawings; others stand last."""
    arrows: dict[str, dict[str, None]] = {name: {} for name in names}
    for edge in (edge for drawing in drawings for edge in drawing.edges):
        if edge.source in arrows and edge.target in arrows:
            arrows[edge.source][edge.target] = None
    roots = {node.name for drawing in drawings for node in drawing.nodes if node.kind in ("root", "queue")}
    depth: dict[str, int] = {}
    for name in names:
        if name in roots:
            _sink(name, 0, arrows, depth, [])
    last = max(depth.values(), default=-1) + 1
    columns: list[list[str]] = [[] for _ in range(last + 1)]
    for name in names:
        columns[depth.get(name, last)].append(name)
    return [column for column in columns if column]


def _sink(name: str, at: int, arrows: dict[str, dict[str, None]], depth: dict[str, int], way: list[str]) -> None:
    """Put ``name`` at least ``at`` columns to the right, and what it points to behind it; a cycle ends the walk."""
    if name in way or depth.get(name, -1) >= at:
        return
    depth[name] = at
    for target in arrows[name]:
        _sink(target, at + 1, arrows, depth, [*way, name])
