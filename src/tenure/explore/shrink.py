"""Makes a story short: fewest steps, then fewest switches between threads, and nothing in it that does not matter."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from tenure.explore.model import Model
from tenure.explore.schedule import Move
from tenure.explore.story import Moment, Story, ending_of

__all__ = ["shortest", "shrunk"]

S = TypeVar("S", bound=Hashable)

#: No thread has moved yet, so whoever moves first is no switch.
_NOBODY = -1


class _Link(NamedTuple, Generic[S]):
    """The last step of a way here, and the way before it."""

    before: _Link[S] | None
    moment: Moment[S] | None
    start: int
    switches: int
    state: S


def shortest(model: Model[S], wanted: str | None, depth: int, budget: int) -> Story[S] | None:
    """Of all stories of at most ``depth`` steps that are broken (with the fault ``wanted``, if given) the shortest,
    and of these one with the fewest switches; ``None`` when more than ``budget`` ways had to be kept to find it.

    A shortest story passes through each state at the first moment it can be reached at all, so it is enough to keep,
    for each state of a level and each thread that moved last, the way with the fewest switches.
    """
    level: dict[S, dict[int, _Link[S]]] = {}
    for index, start in enumerate(model.starts()):
        level.setdefault(start, {_NOBODY: _Link(None, None, index, 0, start)})
    seen = set(level)
    kept = len(level)
    for _ in range(depth + 1):
        told = _broken_in(model, level, wanted)
        if told is not None:
            return told
        level = _next(model, level, seen)
        seen.update(level)
        kept += sum(map(len, level.values()))
        if kept > budget:
            return None
    return None


def _broken_in(model: Model[S], level: dict[S, dict[int, _Link[S]]], wanted: str | None) -> Story[S] | None:
    found: list[_Link[S]] = []
    for state, ways in level.items():
        fault, _ = ending_of(model, state)
        if fault is not None and wanted in (None, fault):
            found.extend(ways.values())
    if not found:
        return None
    least = min(link.switches for link in found)
    told = [_told(model, link) for link in found if link.switches == least]
    return min(told, key=lambda story: (story.start_index, _in_order(model, story)))


def _in_order(model: Model[S], story: Story[S]) -> list[tuple[int, int]]:
    return [(model.threads.index(moment.move.thread), moment.move.choice) for moment in story.moments]


def _next(model: Model[S], level: dict[S, dict[int, _Link[S]]], seen: set[S]) -> dict[S, dict[int, _Link[S]]]:
    fresh: dict[S, dict[int, _Link[S]]] = {}
    for state, ways in level.items():
        for move, thread, label, after in _numbered(model, state):
            if after in seen:
                continue
            arrivals = fresh.setdefault(after, {})
            for last, link in ways.items():
                switches = link.switches + (last not in (thread, _NOBODY))
                if thread not in arrivals or switches < arrivals[thread].switches:
                    arrivals[thread] = _Link(link, Moment(move, label, after), link.start, switches, after)
    return fresh


def _numbered(model: Model[S], state: S) -> Iterator[tuple[Move, int, str, S]]:
    taken = [0] * len(model.threads)
    for thread, label, after in model.steps(state):
        yield Move(model.threads[thread], taken[thread]), thread, label, after
        taken[thread] += 1


def _told(model: Model[S], last: _Link[S]) -> Story[S]:
    moments: list[Moment[S]] = []
    link = last
    while link.before is not None and link.moment is not None:
        moments.append(link.moment)
        link = link.before
    return Story(link.state, tuple(reversed(moments)), link.start, *ending_of(model, last.state))


def shrunk(model: Model[S], story: Story[S]) -> Story[S]:
    """``story`` without the steps that its fault (or what is seen at its end) does not need, in longer turns.

    Steps are taken out, then turns of a thread are joined, each change kept if the story still ends the same way,
    until no single change helps.
    """
    while True:
        better = _first_that_tells(model, story, _shorter(story)) or _first_that_tells(model, story, _joined(story))
        if better is None:
            return story
        story = better


def _first_that_tells(model: Model[S], story: Story[S], plans: Iterator[list[Moment[S]]]) -> Story[S] | None:
    for plan in plans:
        told = _follow(model, story, plan)
        if told is not None and _tells_the_same(told, story) and _weight(told) < _weight(story):
            return told
    return None


def _tells_the_same(told: Story[S], story: Story[S]) -> bool:
    return told.fault == story.fault and (story.fault is not None or told.outcome == story.outcome)


def _weight(story: Story[S]) -> tuple[int, int]:
    return story.length, story.schedule.switches


def _follow(model: Model[S], story: Story[S], plan: Sequence[Moment[S]]) -> Story[S] | None:
    """The story in which the threads do what ``plan`` says, told by label; ``None`` if one of them cannot."""
    state = story.start
    moments: list[Moment[S]] = []
    for wish in plan:
        for move, _, label, after in _numbered(model, state):
            if move.thread == wish.move.thread and label == wish.label:
                moments.append(Moment(move, label, after))
                state = after
                break
        else:
            return None
    return Story(story.start, tuple(moments), story.start_index, *ending_of(model, state))


def _shorter(story: Story[S]) -> Iterator[list[Moment[S]]]:
    """The story without a stretch of its steps, long stretches first."""
    moments = list(story.moments)
    size = len(moments) // 2
    while size:
        for at in range(len(moments) - size + 1):
            yield moments[:at] + moments[at + size :]
        size //= 2


def _joined(story: Story[S]) -> Iterator[list[Moment[S]]]:
    """The story with one turn of a thread put next to another turn of it, later or earlier."""
    turns = _turns(story)
    for i, early in enumerate(turns):
        for j in range(i + 2, len(turns)):
            if turns[j][0].move.thread == early[0].move.thread:
                between = turns[i + 1 : j]
                for order in ([early, turns[j], *between], [*between, early, turns[j]]):
                    yield [moment for turn in (*turns[:i], *order, *turns[j + 1 :]) for moment in turn]
                break


def _turns(story: Story[S]) -> list[list[Moment[S]]]:
    turns: list[list[Moment[S]]] = []
    for moment in story.moments:
        if turns and turns[-1][0].move.thread == moment.move.thread:
            turns[-1].append(moment)
        else:
            turns.append([moment])
    return turns
