"""What makes no sense in a litmus test although it can be read: names said twice, and steps out of their place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NoReturn

from tenure.golang.syntax import Function, Litmus, Location, Statement, walk
from tenure.golang.tokens import LitmusError, Place

__all__ = ["RESERVED", "is_object", "look_through"]

#: Names that a thread, a function or a global cannot have: the heap, and the goroutines of the runtime.
RESERVED: Final = re.compile(r"heap|(finalizers|cleanups)\d*")

#: Where these steps can stand; all others can stand anywhere.
_HEAP_ONLY: Final = ("object", "static", "zero")
_NEVER_IN_HEAP: Final = ("gc", "settle", "cycle", "wait", "block", "lock", "panic", "goexit", "exit")

#: Steps that make no sense in a test without the other.
_NEED: Final = {
    "stop": "cleanup", "unpin": "pin", "unregister": "register", "lookup": "register", "scan": "register",
    "strong": "weak", "pointer": "address",
}  # fmt: skip


def is_object(name: str) -> bool:
    """Whether ``name`` is an object's: those begin with a capital letter, variables do not."""
    return name[:1].isupper()


def look_through(test: Litmus) -> None:
    """Raise `LitmusError` for the first thing in ``test`` that makes no sense."""
    _Look(test).everywhere()


class _Look:
    def __init__(self, test: Litmus) -> None:
        self._test = test
        self._zero = {step.name for step in walk(test.heap) if step.verb == "zero"}

    def _fail(self, message: str, place: Place) -> NoReturn:
        raise LitmusError(message, place, self._test.origin)

    def everywhere(self) -> None:
        """The names of parts, then each function, then each step."""
        self._parts()
        for function in self._test.functions:
            self._given(function)
        for step in walk(self._test.heap):
            self._in_heap(step)
        for part in self._test.parts:
            for step in walk(part.body):
                if step.verb in _HEAP_ONLY:
                    self._fail(f"'{step.verb}' can only stand in the heap", step.place)
        self._things()
        self._partners()

    def _parts(self) -> None:
        test = self._test
        for thread in test.threads:
            if "-" in thread.name:
                self._fail(f"'{thread.name}': a thread's name has letters, digits and _ only", thread.place)
        globals_ = [(name, test.places.get(f"global {at}", Place(1, 1))) for at, name in enumerate(test.globals)]
        for name, place in globals_:
            if is_object(name):
                self._fail(f"'{name}' is an object's name; a global begins with a small letter", place)
        self._once([*globals_, *((part.name, part.place) for part in test.parts)])

    def _once(self, names: Iterable[tuple[str, Place]]) -> None:
        seen: set[str] = set()
        for name, place in names:
            if name in seen or RESERVED.fullmatch(name):
                self._fail(f"'{name}' is already the name of something else", place)
            seen.add(name)

    def _given(self, function: Function) -> None:
        """A function's parameter and captures have names of their own."""
        seen: set[str] = set()
        for name in (*((function.parameter,) if function.parameter else ()), *function.captures):
            if name in self._test.globals:
                self._fail(f"'{name}' is a global; what '{function.name}' is given needs another name", function.place)
            if name in seen:
                self._fail(f"'{function.name}' is given '{name}' twice", function.place)
            seen.add(name)

    def _in_heap(self, step: Statement) -> None:
        if step.verb in _NEVER_IN_HEAP:
            self._fail(f"'{step.verb}' cannot stand in the heap, which is there before anything runs", step.place)
        set_here = step.target if step.target or step.verb != "drop" else step.locations[0]
        if set_here and not set_here.field and is_object(set_here.name):
            self._fail(f"'{set_here.name}' is an object, which cannot be set; only what holds it can", set_here.place)
        captures = step.function.captures if step.function else ()
        for at, location in enumerate((*step.locations, *captures, *((step.target,) if step.target else ()))):
            if location.name in self._zero and not self._may_have_no_size(step, at, location):
                self._fail(
                    f"'{location.name}' has no size: it can be given a finalizer or a cleanup, and nothing else",
                    location.place,
                )

    @staticmethod
    def _may_have_no_size(step: Statement, at: int, location: Location) -> bool:
        return step.verb in ("finalizer", "cleanup") and at == 0 and not location.field

    def _things(self) -> None:
        """An object, a native block and a file have names of their own, because an answer tells them by name."""
        mentioned = [place for step in walk(self._test.heap) for place in (*step.locations, step.target) if place]
        kinds = {location.name: "an object" for location in mentioned if is_object(location.name)}
        for step in self._test.statements():
            kind = {"malloc": "a native block", "open": "a file"}.get(step.verb)
            kind = kind or ("an object" if step.verb in (*_HEAP_ONLY, "new") else None)
            if kind and kinds.setdefault(step.name, kind) != kind:
                self._fail(f"'{step.name}' is {kinds[step.name]} already", step.place)
        specials = [(step.name, step.place) for step in walk(self._test.heap) if step.verb in ("static", "zero")]
        self._once(specials)

    def _partners(self) -> None:
        verbs = {step.verb for step in self._test.statements()}
        for step in self._test.statements():
            if step.verb in _NEED and _NEED[step.verb] not in verbs:
                self._fail(f"'{step.verb}' without any '{_NEED[step.verb]}' in the test", step.place)
