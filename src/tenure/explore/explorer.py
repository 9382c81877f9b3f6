"""The front door: one model in, every schedule of it visited, one answer out."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TypeVar

from tenure.explore.bounds import Bounds, Meter
from tenure.explore.fitness import admit
from tenure.explore.model import Footprinted, Model, Parted
from tenure.explore.packed import Packed
from tenure.explore.preemptions import FewPreemptions
from tenure.explore.search import Progress, Search
from tenure.explore.shrink import shortest, shrunk
from tenure.explore.story import Story, retell
from tenure.explore.verdict import Answer, Effort, Outcome, Verdict

__all__ = ["explore"]

S = TypeVar("S", bound=Hashable)
T = TypeVar("T", bound=Hashable)

#: Ways that may be kept or tried while a story with fewer steps or switches is looked for: about a second.
_BUDGET = 100_000


def explore(
    model: Model[S],
    bounds: Bounds | None = None,
    *,
    reduce: bool = True,
    symmetry: bool = True,
    pack: bool = True,
    preemptions: int | None = None,
    stop_at_fault: bool = True,
    meter: Meter | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Answer[S]:
    """Visit every schedule of ``model`` within ``bounds`` and say what was found.

    ``reduce``, ``symmetry`` and ``pack`` use what the model offers (`Footprinted`, `Symmetric`, `Parted`); without them
    the answer is the same and takes longer. ``preemptions`` bounds how often a thread is stopped while it could go on.
    After the first broken state the search stops, unless ``stop_at_fault`` is false.
    """
    admit(model)

    def searched(whole: Model[T]) -> Answer[T]:
        limits = bounds or Bounds()
        if preemptions is not None:
            return _with_few_preemptions(whole, limits, preemptions, stop_at_fault, meter, progress)
        search = Search(
            whole, limits, reduce=reduce, symmetry=symmetry, stop_at_fault=stop_at_fault, meter=meter, progress=progress
        )
        search.run()
        return _answer(whole, search, lambda state: retell(whole, search.chain(state), search.canonical), None)

    if pack and isinstance(model, Parted) and not (reduce and isinstance(model, Footprinted)):
        packed = Packed(model)
        answer = searched(packed)
        if packed.paid:
            return answer.told_in(packed.unpack)
    return searched(model)


def _with_few_preemptions(
    model: Model[S],
    limits: Bounds,
    most: int,
    stop_at_fault: bool,
    meter: Meter | None,
    progress: Callable[[Progress], None] | None,
) -> Answer[S]:
    counted = FewPreemptions(model, most)
    search = Search(counted, limits, stop_at_fault=stop_at_fault, meter=meter, progress=progress)
    search.run()
    refused = f"the bound of {most} preemptions" if counted.refused else None
    return _answer(model, search, lambda state: retell(model, [kept[0] for kept in search.chain(state)]), refused)


def _answer(model: Model[S], search: Search[T], tell: Callable[[T], Story[S]], refused: str | None) -> Answer[S]:
    told = sorted(map(tell, search.faults.values()), key=lambda story: story.length)
    story, least = _polished(model, told[0], not search.reduces and refused is None) if told else (None, False)
    why = search.unfinished or refused
    return Answer(
        model=model.name,
        verdict=Verdict.BROKEN if story else Verdict.UNFINISHED if why else Verdict.HOLDS,
        fault=story.fault if story else None,
        story=story,
        shortest=least,
        why_unfinished=None if story else why,
        outcomes=_witnessed(model, search, tell),
        effort=_effort(search),
        others=_others(model, told, story),
    )


def _witnessed(model: Model[S], search: Search[T], tell: Callable[[T], Story[S]]) -> dict[str, Outcome[S]]:
    """What is seen at the ends, each with a shortest story, in few turns unless there are many and long ones."""
    few = len(search.ends) * search.depth**2 <= _BUDGET
    told = {seen: Outcome(seen, count, tell(state)) for seen, (count, state) in sorted(search.ends.items())}
    return {seen: replace(end, witness=shrunk(model, end.witness)) for seen, end in told.items()} if few else told


def _polished(model: Model[S], story: Story[S], exact: bool) -> tuple[Story[S], bool]:
    """The story made short, and whether no broken story has fewer steps."""
    least = shortest(model, story.fault if exact else None, story.length, _BUDGET)
    return (least, True) if least is not None else (shrunk(model, story), exact)


def _others(model: Model[S], told: list[Story[S]], first: Story[S] | None) -> dict[str, Story[S]]:
    others = {story.fault: story for story in reversed(told) if story.fault is not None}
    if first is not None and first.fault is not None:
        others.pop(first.fault, None)
    return {fault: shrunk(model, story) for fault, story in sorted(others.items())}


def _effort(search: Search[T]) -> Effort:
    return Effort(
        method="every schedule",
        states=len(search.seen),
        steps=search.steps,
        depth=search.depth,
        seconds=search.seconds,
        reduced=search.reduces,
        symmetric=search.canonical is not None,
    )
