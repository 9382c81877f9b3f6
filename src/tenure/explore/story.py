"""What happened, step by step: a schedule together with the states it leads through."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from tenure.explore.fitness import examined
from tenure.explore.model import Model, Step
from tenure.explore.schedule import Move, Schedule, UnreadableSchedule

__all__ = ["Moment", "Story", "ending_of", "replay", "retell"]

S = TypeVar("S", bound=Hashable)
T = TypeVar("T", bound=Hashable)


class Moment(NamedTuple, Generic[S]):
    """One step of a story: who, what, and the state after it."""

    move: Move
    label: str
    state: S


@dataclass(frozen=True, slots=True)
class Story(Generic[S]):
    """A walk from a start of the model, and how it stands at the end of the walk."""

    start: S
    moments: tuple[Moment[S], ...]
    start_index: int
    fault: str | None  #: what is wrong in the last state
    outcome: str | None  #: what is seen there, if it is an end

    @property
    def schedule(self) -> Schedule:
        """The order of steps alone."""
        return Schedule(tuple(moment.move for moment in self.moments), self.start_index)

    @property
    def states(self) -> tuple[S, ...]:
        """Every state it leads through, the start first."""
        return (self.start, *(moment.state for moment in self.moments))

    @property
    def length(self) -> int:
        """How many steps. Not ``len()``: a story without a step, of a start that is broken, must not be false."""
        return len(self.moments)

    def told_in(self, states: Callable[[S], T]) -> Story[T]:
        """The same story, told in other states."""
        moments = tuple(Moment(move, label, states(state)) for move, label, state in self.moments)
        return Story(states(self.start), moments, self.start_index, self.fault, self.outcome)


def ending_of(model: Model[S], state: S) -> tuple[str | None, str | None]:
    """What is wrong in ``state`` (always, or as an end), and what is seen in it if it is an end."""
    fault = model.broken(state)
    if model.steps(state):
        return fault, None
    return fault or model.broken_at_end(state), model.outcome(state)


def replay(model: Model[S], schedule: Schedule) -> Story[S]:
    """Run ``schedule`` on ``model``; raises `UnreadableSchedule` where the model cannot follow it."""
    starts = tuple(model.starts())
    if schedule.start >= len(starts):
        raise UnreadableSchedule(f"@{schedule.start}: {model.name} has {len(starts)} starts, the first is @0")
    state = starts[schedule.start]
    moments: list[Moment[S]] = []
    for at, move in enumerate(schedule.moves):
        examined(model, state)
        _, label, state = _taken(model, state, move, at)
        moments.append(Moment(move, label, state))
    examined(model, state)
    return Story(starts[schedule.start], tuple(moments), schedule.start, *ending_of(model, state))


def _taken(model: Model[S], state: S, move: Move, at: int) -> Step[S]:
    if move.thread not in model.threads:
        raise UnreadableSchedule(
            f"step {at + 1} is of {move.thread!r}; the threads of {model.name} are {', '.join(model.threads)}"
        )
    thread = model.threads.index(move.thread)
    own = [step for step in model.steps(state) if step[0] == thread]
    if move.choice < len(own):
        return own[move.choice]
    ready = dict.fromkeys(model.threads[step[0]] for step in model.steps(state))
    raise UnreadableSchedule(
        f"step {at + 1}, {move}: {move.thread} has {len(own)} steps there; "
        + (f"steps are ready in {', '.join(ready)}" if ready else "the model has ended")
    )


def retell(model: Model[S], chain: Sequence[S], same: Callable[[S], S] | None = None) -> Story[S]:
    """The story that leads through ``chain``, a start of the model and then states each one step from the last.

    With ``same``, the chain holds representatives and the story leads through states that they represent.
    """
    starts = tuple(model.starts())
    known = same or _itself
    start_index = next(at for at, start in enumerate(starts) if known(start) == chain[0])
    state = starts[start_index]
    moments: list[Moment[S]] = []
    for target in chain[1:]:
        taken = dict.fromkeys(range(len(model.threads)), 0)
        for thread, label, after in model.steps(state):
            if known(after) == target:
                moments.append(Moment(Move(model.threads[thread], taken[thread]), label, after))
                state = after
                break
            taken[thread] += 1
        else:
            raise ValueError(f"{model.name}: no step leads from {state!r} to {target!r}; steps() must answer alike")
    return Story(starts[start_index], tuple(moments), start_index, *ending_of(model, state))


def _itself(state: S) -> S:
    return state
