"""A model with a bound on how often a thread is stopped while it could go on."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Generic, TypeAlias, TypeVar

from tenure.explore.model import Model, Step

__all__ = ["FewPreemptions"]

S = TypeVar("S", bound=Hashable)

#: The inner model's state, who moved last (``-1``: nobody yet), and how many preemptions are left.
Counted: TypeAlias = tuple[S, int, int]

_NOBODY = -1


class FewPreemptions(Generic[S]):
    """``model``, in which at most ``limit`` times another thread takes over from one that could have gone on.

    Most bugs need few of them, and states are few while the limit is small. A reduction is not sound here: it lets
    others go first, which may cost a preemption that the bound then refuses. So this model offers no footprints.
    """

    def __init__(self, model: Model[S], limit: int) -> None:
        self.inner = model
        self.limit = limit
        self.name = model.name
        self.threads = model.threads
        self.refused = False  #: whether the bound ever made a difference; if not, everything was visited

    def starts(self) -> Iterable[Counted[S]]:
        """The inner starts, nobody having moved."""
        return [(start, _NOBODY, self.limit) for start in self.inner.starts()]

    def steps(self, state: Counted[S]) -> Sequence[Step[Counted[S]]]:
        """The inner steps that the bound still allows."""
        inner, last, left = state
        found = self.inner.steps(inner)
        if last == _NOBODY or all(step[0] != last for step in found):
            return [(thread, label, (after, thread, left)) for thread, label, after in found]
        if not left and any(step[0] != last for step in found):
            self.refused = True
            found = [step for step in found if step[0] == last]
        return [(thread, label, (after, thread, left - (thread != last))) for thread, label, after in found]

    def broken(self, state: Counted[S]) -> str | None:
        """As the inner model."""
        return self.inner.broken(state[0])

    def broken_at_end(self, state: Counted[S]) -> str | None:
        """As the inner model."""
        return self.inner.broken_at_end(state[0])

    def outcome(self, state: Counted[S]) -> str:
        """As the inner model."""
        return self.inner.outcome(state[0])
