"""Makes a test on which the model and Go disagree smaller, as long as they still disagree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from tenure.golang.names import resolve
from tenure.golang.syntax import Function, Litmus, Statement, walk
from tenure.golang.tokens import LitmusError

__all__ = ["Disagree", "shrunk", "smaller"]

#: Of several tests at once, because they are compiled at once: do the model and Go disagree?
Disagree: TypeAlias = Callable[[Sequence[Litmus]], Sequence[bool]]


def shrunk(test: Litmus, disagree: Disagree) -> Litmus:
    """The smallest test that is left when no step can be taken out any more without an end to the disagreement."""
    while True:
        candidates = list(smaller(test))
        found = (
            [one for one, still in zip(candidates, disagree(candidates), strict=True) if still] if candidates else []
        )
        if not found:
            return test
        test = min(found, key=lambda one: len(list(one.statements())))


def smaller(test: Litmus) -> Iterator[Litmus]:
    """Every test that has one part less: a thread first, then single steps; only those that make sense."""
    for candidate in _without(test):
        cleaned = _cleaned(candidate)
        try:
            resolve(cleaned)
        except LitmusError:
            continue
        yield cleaned


def _without(test: Litmus) -> Iterator[Litmus]:
    for at in range(len(test.threads) - 1, 0, -1):
        yield replace(test, threads=test.threads[:at] + test.threads[at + 1 :])
    for heap in _fewer(test.heap):
        yield replace(test, heap=heap)
    for at, thread in enumerate(test.threads):
        for body in _fewer(thread.body):
            yield replace(test, threads=(*test.threads[:at], replace(thread, body=body), *test.threads[at + 1 :]))
    for at, function in enumerate(test.functions):
        for body in _fewer(function.body):
            smaller_one = replace(function, body=body)
            yield replace(test, functions=(*test.functions[:at], smaller_one, *test.functions[at + 1 :]))


def _fewer(body: tuple[Statement, ...]) -> Iterator[tuple[Statement, ...]]:
    """``body`` without some steps, many at once first; then with what a step holds in the step's place."""
    size = len(body)
    while size:
        yield from (body[:at] + body[at + size :] for at in range(0, len(body), size))
        size //= 2
    for at, step in enumerate(body):
        if step.body:
            yield body[:at] + step.body + body[at + 1 :]


def _cleaned(test: Litmus) -> Litmus:
    """``test`` without functions that nothing refers to, and without a look at objects that are not there any more."""
    functions = test.functions
    while (kept := _referred(replace(test, functions=functions))) != functions:
        functions = kept
    test = replace(test, functions=functions)
    said = {location.name for step in test.statements() for location in step.locations}
    said |= {step.name for step in test.statements()} | {s.target.name for s in test.statements() if s.target}
    known = {"events", "order", *test.globals, *said}
    return replace(test, observe=tuple(name for name in test.observe if name in known))


def _referred(test: Litmus) -> tuple[Function, ...]:
    bodies = [test.heap, *(part.body for part in test.parts)]
    called = {step.function.name for body in bodies for step in walk(body) if step.function}
    return tuple(function for function in test.functions if function.name in called)
