"""Leaving out schedules that differ only in the order of steps which do not meet, without losing an answer.

From a state it is enough to let a set of threads move such that nothing any *other* thread may ever do meets the next
steps of the set (a persistent set): whatever the others do first, they can as well do after. Three conditions keep the
answer the same:

* every end stays reachable: the set is closed under "may meet", with what is waited for counted as read;
* every broken state stays reachable: a set that leaves anybody out contains no step that may change ``broken``;
* nobody is put off for ever: one of the set's steps leads to a state that was not seen before, else all move.

The reduction is a function from steps to fewer steps; a search without it is the same search.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Sequence
from typing import TypeVar

from tenure.explore.model import Footprint, Footprinted, Step

__all__ = ["persistent", "reduced"]

S = TypeVar("S", bound=Hashable)


def reduced(
    expand: Callable[[S], Sequence[Step[S]]], model: Footprinted[S], seen: Container[S]
) -> Callable[[S], Sequence[Step[S]]]:
    """``expand``, without the steps that can wait."""
    footprints = model.footprints

    def steps(state: S) -> Sequence[Step[S]]:
        found = expand(state)
        if len(found) < 2 or found[0][0] == found[-1][0]:
            return found  # steps of one thread stand together, so this is one thread: nobody else can wait
        chosen = persistent({step[0] for step in found}, footprints(state))
        if chosen is None:
            return found
        fewer = [step for step in found if step[0] in chosen]
        return fewer if any(after not in seen for _, _, after in fewer) else found

    return steps


def persistent(ready: set[int], footprints: Sequence[Footprint]) -> set[int] | None:
    """The smallest set of threads found that may move alone, ``None`` if that is all that are ready."""
    best: set[int] | None = None
    size = len(ready)
    for thread in sorted(ready):
        chosen = _closed(thread, footprints, ready, size)
        if chosen is not None:
            count = len(chosen & ready)
            if count == 1:
                return chosen
            best, size = chosen, count
    return best


def _closed(thread: int, footprints: Sequence[Footprint], ready: set[int], size: int) -> set[int] | None:
    """``thread`` and all whose later steps may meet the next steps of the set; ``None`` if that is no gain."""
    chosen = {thread}
    work = [thread]
    while work:
        mover = work.pop()
        reads, writes, _, _, visible = footprints[mover]
        if visible and mover in ready:
            return None
        both = reads | writes
        for other, (_, _, later_reads, later_writes, _) in enumerate(footprints):
            if other not in chosen and (later_writes & both or later_reads & writes):
                chosen.add(other)
                work.append(other)
        if len(chosen & ready) >= size:
            return None
    return chosen
