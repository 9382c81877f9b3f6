"""The graph of a small model, or the states of a story, in the language that pull requests draw."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final, TypeVar

from tenure.explore.model import Model
from tenure.explore.story import Story, ending_of

__all__ = ["TooManyNodes", "as_mermaid"]

S = TypeVar("S", bound=Hashable)

#: More boxes than this no reviewer reads, and some renderers refuse.
MOST: Final = 60


class TooManyNodes(ValueError):
    """The graph has too many boxes to be drawn in a pull request; says how many, and what to do."""


def as_mermaid(model: Model[S], story: Story[S] | None = None) -> str:
    """Every state of ``model`` if they are few, with ``story`` marked in it; else the states of ``story`` alone."""
    states = _reachable(model)
    if states is None and story is None:
        raise TooManyNodes(f"{model.name} has {MOST} states or more, and no story to draw alone; try --format html")
    if states is None and story is not None:
        if story.length + 1 >= MOST:
            raise TooManyNodes(f"the story has {story.length + 1} states, {MOST - 1} can be drawn; try --format html")
        return _drawn(model, dict.fromkeys(story.states), story, whole=False)
    return _drawn(model, states or {}, story, whole=True)


def _reachable(model: Model[S]) -> dict[S, None] | None:
    """Every state in the order in which it is found, or ``None`` if there are too many."""
    states = dict.fromkeys(model.starts())
    work = list(states)
    for state in work:
        for _, _, after in model.steps(state):
            if after not in states:
                states[after] = None
                work.append(after)
        if len(states) >= MOST:
            return None
    return states


def _drawn(model: Model[S], states: dict[S, None], story: Story[S] | None, whole: bool) -> str:
    names = {state: f"s{number}" for number, state in enumerate(states)}
    told = _told(story)
    lines = ["flowchart TD"]
    for state, name in names.items():
        lines.append(f"    {name}{_box(model, state, name)}")
    marked, number = [], 0
    for state in states:
        for thread, label, after in model.steps(state):
            in_story = (state, model.threads[thread], label, after) in told
            if whole or in_story:
                lines.append(f'    {names[state]} -->|"{_quoted(f"{model.threads[thread]}: {label}")}"| {names[after]}')
                marked += [number] * in_story
                number += 1
    lines += [f"    linkStyle {','.join(map(str, marked))} stroke:#c0392b,stroke-width:3px"] * bool(marked)
    broken = [names[state] for state in states if ending_of(model, state)[0]]
    lines += [f"    style {name} fill:#f6c8c2,stroke:#c0392b" for name in broken]
    return "\n".join(lines)


def _told(story: Story[Any] | None) -> set[tuple[Any, str, str, Any]]:
    if story is None:
        return set()
    return {
        (before, moment.move.thread, moment.label, moment.state)
        for before, moment in zip(story.states, story.moments, strict=False)
    }


def _box(model: Model[S], state: S, name: str) -> str:
    fault, outcome = ending_of(model, state)
    text = fault or outcome
    return f'["{_quoted(text)}"]' if text else f"(({name[1:]}))"


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;").replace("\n", " ")
