"""The answer for a person: the verdict, the story with a column for each thread, and how to see it again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Final, TypeVar

from tenure.explore.story import Story
from tenure.explore.verdict import Answer, Effort, Verdict

__all__ = ["as_text", "story_as_text"]

S = TypeVar("S", bound=Hashable)

_COLOURS: Final = {Verdict.HOLDS: "32", Verdict.BROKEN: "31", Verdict.UNFINISHED: "33"}
#: Beyond this width a column for each thread no longer fits, and each step tells its thread instead.
_WIDTH: Final = 100
_GAP: Final = 2


def as_text(answer: Answer[Any], threads: Sequence[str], again: str = "", *, colour: bool = False) -> str:
    """``answer`` in lines; ``again`` is the command that asked, to which ``--replay`` can be added."""
    lines = [_verdict(answer, colour)]
    if answer.story is not None:
        lines += ["", story_as_text(answer.story, threads, again, colour=colour)]
    if answer.others:
        lines += ["", "also broken"]
        lines += [f"  {fault}: {story.schedule}" for fault, story in answer.others.items()]
    if answer.outcomes:
        counted = "walks" if answer.effort.runs else "states"
        lines += ["", f"seen at the end ({counted}, what, a schedule)", *_outcomes(answer)]
    elif answer.verdict is Verdict.HOLDS:
        lines += ["", "no schedule comes to an end"]
    return "\n".join([*lines, "", _effort(answer.effort)])


def _verdict(answer: Answer[Any], colour: bool) -> str:
    word = _painted(answer.verdict.value.upper(), _COLOURS[answer.verdict], colour)
    because = answer.fault or answer.why_unfinished
    told = f"{answer.model}: {word}" + (f": {because}" if because else "")
    if answer.verdict is Verdict.UNFINISHED:
        told += "; nothing broken was found up to there, which proves nothing"
    return told


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[1;{code}m{text}\x1b[0m" if colour else text


def _outcomes(answer: Answer[Any]) -> list[str]:
    wide = max(len(seen) for seen in answer.outcomes)
    return [
        f"  {outcome.count:>7,}  {seen:<{wide}}  {outcome.witness.schedule}"
        for seen, outcome in answer.outcomes.items()
    ]


def _effort(effort: Effort) -> str:
    saved = [word for word, on in (("reduced", effort.reduced), ("symmetric", effort.symmetric)) if on]
    how = ", ".join([f"{effort.runs:,} {effort.method}" if effort.runs else effort.method, *saved])
    return f"{effort.states:,} states, {effort.steps:,} steps, depth {effort.depth}, {effort.seconds:.2f} s ({how})"


def story_as_text(story: Story[Any], threads: Sequence[str], again: str = "", *, colour: bool = False) -> str:
    """The story step by step, how it ends, and its schedule."""
    named = [name for name in threads if any(moment.move.thread == name for moment in story.moments)]
    widths = [max(len(m.label) for m in story.moments if m.move.thread == name) for name in named]
    widths = [max(width, len(name)) for width, name in zip(widths, named, strict=True)]
    if sum(widths) + _GAP * len(widths) + 6 <= _WIDTH:
        lines = _in_lanes(story, named, widths)
    else:
        lines = _in_a_list(story, named)
    end = _painted(story.fault, "31", colour) if story.fault else story.outcome or "it can go on from here"
    lines += [f"      => {end}", "", f"  schedule: {story.schedule}"]
    if again:
        lines.append(f"  see it again: {again} --replay {story.schedule}")
    return "\n".join(lines)


def _in_lanes(story: Story[Any], named: list[str], widths: list[int]) -> list[str]:
    gap = " " * _GAP
    lines = [("  step" + gap + gap.join(f"{name:<{w}}" for name, w in zip(named, widths, strict=True))).rstrip()]
    for number, moment in enumerate(story.moments, 1):
        cells = [f"{moment.label if moment.move.thread == n else '':<{w}}" for n, w in zip(named, widths, strict=True)]
        lines.append(f"{number:>6}{gap}{gap.join(cells)}".rstrip())
    return lines


def _in_a_list(story: Story[Any], named: list[str]) -> list[str]:
    wide = max(len(name) for name in named)
    return [f"{number:>6}  {m.move.thread:<{wide}}  {m.label}" for number, m in enumerate(story.moments, 1)]
