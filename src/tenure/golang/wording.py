"""How the names, kinds and values of a litmus test are said in Go, and the lines of the function being written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tenure.golang.names import HEAP, Key, Names, resolve
from tenure.golang.syntax import Litmus, Location, atoms, walk

__all__ = ["NotInGo", "Wording"]

#: A value of each kind: its Go type and what it is when it is nothing; ``T`` is the test's type of objects.
_TYPES: Final = {
    "object": ("*T", "nil"),
    "weak": ("weak.Pointer[T]", "weak.Pointer[T]{}"),
    "cleanup": ("runtime.Cleanup", "runtime.Cleanup{}"),
    "native": ("int", "0"),
    "descriptor": ("descriptor", "descriptor{}"),
    "address": ("uintptr", "0"),
    "once": ("sync.Once", ""),
}


class NotInGo(ValueError):
    """A test that cannot be written as a Go program, and why."""


class Wording:
    """One test in Go's words: everything it declares begins with its prefix."""

    def __init__(self, test: Litmus, prefix: str, newer: bool) -> None:
        self._test, self._prefix, self._newer = test, prefix, newer
        self._names: Names = resolve(test)
        self._functions = {function.name: function for function in test.functions}
        self._sites: list[str] = []
        self._scope = HEAP
        self._lines: list[str] = []
        self._watched = self._freed_watched()
        self._many = len(test.threads) > 1
        in_functions = {step.verb for function in test.functions for step in walk(function.body)}
        self._steps_aside = self._many or not in_functions.isdisjoint({"gc", "cycle"})

    def _freed_watched(self) -> set[str]:
        asked = {atom.name for atom in atoms(self._test.question.expression) if atom.kind == "freed"}
        return (asked | set(self._test.observe)) & set(self._names.objects)

    # -- names and types

    def _go(self, name: str) -> str:
        """A name of the test as one of Go's; two that differ in the test differ in Go too."""
        return f"{self._prefix}_{name.replace('_', '__').replace('-', '_d')}"

    def _said(self, kind: str, name: str) -> str:
        """A global ``G``, a function ``F`` or a thread ``T``: the names of the writer's own begin otherwise."""
        return self._go(f"{kind}-{name}")

    def _given_to(self, thread: str, name: str) -> str:
        """Where the heap leaves a variable's value for its thread."""
        return self._go(f"given-{thread}-{name}")

    def _type(self, key: Key) -> str:
        return _TYPES[self._names.kind(key)][0].replace("T", self._go("node"), 1)

    def _nothing(self, key: Key) -> str:
        return _TYPES[self._names.kind(key)][1].replace("T", self._go("node"), 1)

    def _key(self, location: Location) -> Key:
        if location.field and not self._of_thread(location):
            return "", "." + location.field
        if location.name in self._test.globals:
            return "", location.name
        if self._scope == HEAP:
            return (location.name, location.field) if location.field else ("", "an object")
        return self._scope, location.name

    def _of_thread(self, location: Location) -> bool:
        return self._scope == HEAP and location.name in self._names.variables

    def _value(self, location: Location) -> str:
        if self._of_thread(location):
            return self._given_to(location.name, location.field)
        base = self._said("G", location.name) if location.name in self._test.globals else self._local(location.name)
        return f"{base}.{self._field(location.field)}" if location.field else base

    @staticmethod
    def _local(name: str) -> str:
        return "v" + name.replace("_", "__").replace("-", "_d")

    @staticmethod
    def _field(name: str) -> str:
        return "f" + name.replace("_", "__").replace("-", "_d")

    # -- lines

    def _begin(self, scope: str) -> None:
        self._scope, self._lines = scope, []

    def _end(self) -> str:
        return "".join(f"\t{line}\n" for line in self._lines)

    def _add(self, line: str) -> None:
        self._lines.append(line)

    def _variables(self, names: Sequence[str]) -> None:
        """Declare what a function's or a thread's steps use."""
        self._add("var held bool")
        self._add("_ = held")
        for name in names:
            self._add(f"var {self._local(name)} {self._type((self._scope, name))}")
            self._add(f"_ = {self._local(name)}")

    def _canary(self, variable: str, name: str) -> None:
        """Watch when the object is freed, by a thing that only it holds, which holds nothing."""
        if name not in self._watched:
            return
        self._add(f"{variable}.canary = &marker{{}}")
        how = self._canary_weak if self._newer else self._canary_finalizer
        self._add(f'{how(name)}({variable}.canary, "{name}")')

    def _canary_weak(self, name: str) -> str:
        self._site(
            f"//go:noinline\nfunc {self._go('canary')}(c *marker, name string) {{\n\tw, gone := weak.Make(c), false\n"
            "\tlookAfter = append(lookAfter, func() {\n\t\tif !gone && w.Value() == nil {\n\t\t\tgone = true\n"
            '\t\t\ttell(fmt.Sprintf("freed %s %d", name, cycle))\n\t\t}\n\t})\n}\n'
        )
        return self._go("canary")

    def _canary_finalizer(self, name: str) -> str:
        self._site(
            f"//go:noinline\nfunc {self._go('canary')}(c *marker, name string) {{\n"
            '\truntime.SetFinalizer(c, func(*marker) { tell(fmt.Sprintf("freed %s %d", name, cycle)) })\n}\n'
        )
        return self._go("canary")

    def _site(self, text: str) -> None:
        if text not in self._sites:
            self._sites.append(text)
