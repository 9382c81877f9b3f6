"""Whether a model is one: looked at closely before hours go into it, and again where a search fails.

A search trusts what a model returns, because it asks millions of times. So what can be wrong with a model is found
here: in its starts and the states next to them, in each new kind of end, and in the states that a search failed on.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Final, TypeVar

from tenure.explore.model import Model
from tenure.explore.packed import Packed
from tenure.explore.schedule import checked_names

__all__ = ["UnfitModel", "admit", "blamed", "examined"]

S = TypeVar("S", bound=Hashable)
T = TypeVar("T")

#: States that are looked at before a search.
_FIRST: Final = 16


class UnfitModel(ValueError):
    """A model that cannot be explored: what it returned or raised, for which state, and what was expected."""


def admit(model: Model[S]) -> None:
    """Look closely at the names of the threads, the starts and the states next to them; raises `UnfitModel`."""
    checked_names(model.threads)
    todo: list[Any] = list(_asked(model, "starts"))
    for start in todo:
        _hashable(model, start)
    if not todo:
        raise UnfitModel(f"{model.name}: starts() returned no state; a model begins somewhere")
    for at in range(_FIRST):
        if at < len(todo):
            todo += examined(model, todo[at])


def blamed(model: Model[S], states: Iterable[S], error: Exception) -> Exception:
    """What to raise for ``error``, which came up among ``states``: what is wrong with the model, if that is it."""
    try:
        for state in states:
            if isinstance(model, Packed):
                examined(model.inner, model.unpack(state))
            else:
                examined(model, state)
    except UnfitModel as unfit:
        return unfit
    return error


def examined(model: Model[Any], state: Any) -> list[Any]:
    """The states after ``state``, if everything the model says of it is as it should be."""
    steps = _asked(model, "steps", state)
    if not isinstance(steps, Sequence):
        raise _unfit(model, "steps", state, steps, "a list")
    for step in steps:
        if not (isinstance(step, tuple) and len(step) == 3 and _names(model, step)):
            many = len(model.threads)
            raise _unfit(model, "steps", state, step, f"steps (thread, label, state), thread below {many}")
        _hashable(model, step[2])
    if [*steps] != [*_asked(model, "steps", state)]:
        raise UnfitModel(f"{model.name}: steps({state!r}) returned other steps when it was asked again")
    faults = ["broken"] if steps else ["broken", "broken_at_end"]
    for member in faults:
        fault = _asked(model, member, state)
        if fault is not None and not isinstance(fault, str):
            raise _unfit(model, member, state, fault, "None, or what is wrong in words")
    if not steps and not isinstance(outcome := _asked(model, "outcome", state), str):
        raise _unfit(model, "outcome", state, outcome, "what is seen, in words")
    return [after for _, _, after in steps]


def _hashable(model: Model[Any], state: object) -> None:
    try:
        hash(state)
    except TypeError as error:
        raise UnfitModel(f"{model.name}: {state!r} is no state: {error}; a state is a tuple of numbers, say") from error


def _names(model: Model[Any], step: tuple[Any, Any, Any]) -> bool:
    """Whether the step's thread is one of the model's, and its label is text."""
    return isinstance(step[0], int) and 0 <= step[0] < len(model.threads) and isinstance(step[1], str)


def _unfit(model: Model[Any], member: str, state: object, returned: object, expected: str) -> UnfitModel:
    return UnfitModel(f"{model.name}: {member}({state!r}) returned {returned!r}; expected {expected}")


def _asked(model: Model[Any], member: str, *state: object) -> Any:
    """What a member answers; an exception is told with the line it came from."""
    ask: Callable[..., Any] = getattr(model, member)
    try:
        return ask(*state)
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        call = f"{member}({', '.join(map(repr, state))})"
        raised = f"{type(error).__name__}: {error}"
        raise UnfitModel(f"{model.name}: {call} raised {raised} ({last.filename}:{last.lineno})") from error
