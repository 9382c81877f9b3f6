"""A state of the machine in parts: what is shared, and the variables of each thread, so that few steps are taken twice.

A thread's variables are cut into facets. Only the exit, a cycle, and who waits for the runtime's goroutines ask for
anything of another thread; a cycle asks what it surely holds and what it perhaps holds, and may take the latter.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, Final, TypeAlias

from tenure.golang.actor import Built, State
from tenure.golang.cycles import Holder

__all__ = ["Parts"]

#: The facets of a thread: whether it is at its end; where it is, and all else; and, if it has variables for objects,
#: what it surely holds and what it perhaps holds.
_ENDED, _REST, _SURE, _PERHAPS = range(4)

_Asked: TypeAlias = tuple[tuple[int, int], ...]


class Parts:
    """The parts of the states of one machine."""

    def __init__(self, threads: Sequence[Built], workers: Sequence[Built], holders: Sequence[Holder]) -> None:
        self._everybody, self._holders = [*threads, *workers], holders
        #: What is shared, and then each thread's variables, the first of which says where it is.
        self.of: Callable[[State], tuple[State, ...]] = itemgetter(
            slice(threads[0].actor.place), *(holder.cells for holder in holders)
        )
        self._asks = self._asked(threads, workers)

    def _asked(self, threads: Sequence[Built], workers: Sequence[Built]) -> dict[tuple[int, int], _Asked]:
        """By thread and place what is asked of others, where that is anything."""
        holding = [index for index, holder in enumerate(self._holders) if holder.holds]
        of_cycle: Final = tuple((index, facet) for index in holding for facet in (_SURE, _PERHAPS))
        of_exit: Final = tuple((index, _ENDED) for index in range(len(threads)))
        of_settle: Final = tuple((built.actor.index, _REST) for built in workers)
        found: dict[tuple[int, int], _Asked] = {(0, threads[0].end): of_exit}
        for index, built in enumerate(self._everybody):
            found |= {(index, place): of_cycle for place in built.cycles}
            found |= {(index, place): of_settle for place in built.settles}
        return found

    @staticmethod
    def whole(parts: tuple[Any, ...]) -> State:
        """The state of these parts."""
        return tuple(chain.from_iterable(parts))

    def facets(self, thread: int, own: Any) -> tuple[Hashable, ...]:
        """Whether the thread has ended, where it is and all else, what it surely holds, what it perhaps holds."""
        built, holder = self._everybody[thread], self._holders[thread]
        ended = own[0] == built.end
        if not holder.holds:
            return ended, own
        sure, perhaps = holder.held(own)
        rest = list(own)
        for cell in perhaps:
            rest[cell - holder.cells.start] = 0
        kept = tuple((cell, own[cell - holder.cells.start]) for cell in perhaps)
        return ended, tuple(rest), sure, kept

    def asks(self, thread: int, own: Any) -> _Asked:
        """The facets of others that its next step asks for or changes."""
        return self._asks.get((thread, own[0]), ())
