"""Random litmus tests: graphs, captures, cleanups, weak pointers, finalizers of every kind, and one that blocks."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from tenure.golang.parser import parse
from tenure.golang.syntax import Litmus

__all__ = ["random_test"]

_FIELDS: Final = ("next", "left")
_GLOBALS: Final = ("g0", "g1", "kept")


def random_test(seed: int, newer: bool) -> Litmus:
    """The random test of this seed, the same everywhere; with cleanups and weak pointers if ``newer``."""
    return parse(_Author(Random(f"{seed} {newer}"), newer).text(seed), f"random {seed}")


class _Author:
    """Makes one test up, line by line."""

    def __init__(self, random: Random, newer: bool) -> None:
        self._random, self._newer = random, newer
        self._objects = [chr(ord("A") + at) for at in range(random.randint(2, 5))]
        self._statics = ["V"] if self._often(0.1) else []
        self._weak = [f"w{at}" for at in range(random.randint(0, 3))] if newer else []
        self._functions: list[str] = []
        self._handles: list[str] = []
        self._made: list[str] = []
        self._blocks = self._pins = False

    def text(self, seed: int) -> str:
        """The whole test."""
        heap = self._cleanups() if self._newer else []
        heap += self._edges() + self._finalizers() + self._holders()
        heap += [f"{name} = weak {self._any()}" for name in self._weak]
        self._random.shuffle(heap)
        objects = [f"object {name}" for name in self._objects] + [f"static {name}" for name in self._statics]
        procs = 8 if self._newer and self._often(0.1) else 2
        columns = self._columns()
        lines = [f"litmus random-{seed}", '"A random program."', f"procs {procs}"]
        lines += [f"global {' '.join([*_GLOBALS, *self._handles, *self._weak])}", "heap {", *objects, *heap, "}"]
        return "\n".join([*lines, *self._functions, *columns, self._observe(), "exists throw", ""])

    def _observe(self) -> str:
        # Before go1.24 the freeing is seen by a finalizer, which waits behind one that blocks or forces a cycle.
        late = not self._newer and (self._blocks or any(" gc" in function for function in self._functions))
        freed = [] if late else self._objects + self._made
        return " ".join(["observe", self._one_of("events", "events", "order"), *_GLOBALS, *freed])

    # -- chance

    def _often(self, chance: float) -> bool:
        return self._random.random() < chance

    def _one_of(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _any(self) -> str:
        return self._random.choice(self._objects + self._statics)

    def _some(self, names: Sequence[str], most: int) -> list[str]:
        return [self._random.choice(names) for _ in range(self._random.randint(0, most))]

    # -- the heap

    def _edges(self) -> list[str]:
        many = self._random.randint(0, len(self._objects) + 1)
        return [f"{self._any()}.{self._one_of(*_FIELDS)} = {self._any()}" for _ in range(many)]

    def _holders(self) -> list[str]:
        return [f"{name} = {self._any()}" for name in _GLOBALS[:2] if self._often(0.7)]

    def _finalizers(self) -> list[str]:
        return [self._finalizer(name) for name in self._objects + self._statics if self._often(0.65)]

    def _finalizer(self, name: str) -> str:
        if self._often(0.25):
            return f"finalizer {name}"
        captures = self._some(self._objects, 2) if self._often(0.3) else []
        given = [f"c{at}" for at in range(len(captures))]
        function = f"f{name}"
        again = f"{function}[{' '.join(given)}]" if given else function
        body = "; ".join(self._finalizer_step(again, given) for _ in range(self._random.randint(0, 3)))
        return f"finalizer {name} {self._function(function, 'a', given, captures, body)}"

    def _function(self, name: str, parameter: str, given: list[str], captures: list[str], body: str) -> str:
        """Write a function; what a closure of it is called where it is set."""
        self._functions.append(f"func {name}({parameter}) [{' '.join(given)}] {{ {body} }}")
        return f"{name}[{' '.join(captures)}]" if captures else name

    def _finalizer_step(self, again: str, given: list[str]) -> str:
        """Set again, bring back, cut, cancel, or block."""
        field = self._one_of(*_FIELDS)
        choices = [
            f"finalizer a {again}",
            "finalizer a",
            "kept = a",
            f"kept = a.{field}",
            f"a.{field} = nil",
            f"b = a.{field}; if b {{ finalizer b nil }}; drop b",
            f"b = a.{field}; if b {{ b.{field} = a }}; drop b",
            "if kept { kept.left = a }",
            "kept = nil",
            f"say {again.partition('[')[0]}-end",
            "recover { finalizer a nil; panic; say never }",
            "gc",
        ]
        choices += [step for c in given for step in (f"keepalive {c}", f"kept = {c}", f"{c}.{field} = a")]
        choices += self._newer_steps("a", "d")
        return self._stopper(0.12) or self._random.choice(choices)

    def _newer_steps(self, object_: str, variable: str) -> list[str]:
        """What may be done to an object with weak pointers and cleanups."""
        choices = [f"cleanup {object_} late"] if self._newer else []
        choices += [f"stop {handle}" for handle in self._handles[:1]]
        for weak in self._weak[:1]:
            choices.append(f"{weak} = weak {object_}")
            choices.append(f"{variable} = strong {weak}; if {variable} {{ kept = {variable} }}; drop {variable}")
            choices.append(self._look(weak, variable))
        return choices

    @staticmethod
    def _look(weak: str, variable: str) -> str:
        """Tell whether a weak pointer is nil."""
        shown = f"if {variable} {{ say {weak}-alive }} else {{ say {weak}-nil }}"
        return f"{variable} = strong {weak}; {shown}; drop {variable}"

    def _stopper(self, chance: float) -> str:
        """Now and then, and once in a test: what holds up or ends the goroutine it is done on."""
        if self._blocks or not self._often(chance):
            return ""
        self._blocks = True
        return self._one_of("wait proceed", "wait proceed", "wait proceed", "wait proceed", "goexit", "panic")

    def _cleanups(self) -> list[str]:
        self._functions.append("func late() {}")
        chosen = [(at, name) for at, name in enumerate((self._objects + self._statics) * 2) if self._often(0.25)]
        return [self._cleanup(name, at) for at, name in chosen]

    def _cleanup(self, name: str, at: int) -> str:
        function, others = f"c{at}", [other for other in self._objects if other != name]
        argument = self._random.choice(others) if self._often(0.4) else ""
        captures = self._some(self._objects if self._often(0.1) else others, 2) if self._often(0.2) else []
        given = [f"c{at}" for at in range(len(captures))]
        choices = [f"say {function}-end", "kept = nil"] + (["kept = x", "keepalive x"] if argument else [])
        choices += [f"keepalive {c}" for c in given]
        body = self._random.choice(choices) if self._often(0.5) else ""
        body = self._stopper(0.1) or body
        closure = self._function(function, "x" if argument else "", given, captures, body)
        handle = ""
        if self._often(0.3):
            self._handles.append(f"h{at}")
            handle = f"h{at} = "
        return f"{handle}cleanup {name} {closure} {argument}"

    # -- the threads

    def _columns(self) -> list[str]:
        main = self._main()
        if not self._often(0.1):
            return ["threads main", *main]
        other = [
            self._action(at) if self._often(0.7) else f"say at-{at}"
            for at in range(50, 50 + self._random.randint(1, 3))
        ]
        rows = max(len(main), len(other))
        main += [""] * (rows - len(main))
        other += [""] * (rows - len(other))
        return ["threads main | other", *(f"{one} | {two}" for one, two in zip(main, other, strict=True))]

    def _main(self) -> list[str]:
        lines: list[str] = []
        for at in range(self._random.randint(2, 4)):
            lines += [self._action(10 * at + step) for step in range(self._random.randint(0, 2))]
            lines.append("cycle")
            lines += [self._look(weak, f"l{at}") for weak in self._weak[-1:] if self._often(0.3)]
        lines += ["g0 = nil; g1 = nil", "raise proceed; settle", "cycle 2"]
        return lines

    def _action(self, at: int) -> str:
        name, field = self._one_of(*_GLOBALS), self._one_of(*_FIELDS)
        choices = [
            f"{name} = nil",
            f"{name} = nil",
            f"if {name} {{ {name}.{field} = nil }}",
            f"if {name} {{ {name}.{field} = {self._one_of(*_GLOBALS)} }}",
            f"{name} = {self._one_of(*_GLOBALS)}",
            f"if {name} {{ finalizer {name} nil }}",
            f"if {name} {{ finalizer {name} nil; finalizer {name} }}",
            f"if {name} {{ x{at} = {name}.{field}; {name} = x{at}; drop x{at} }}",
            f"if {name} {{ pool {name} }}",
            "unpin" if self._pins else f"recover {{ pin {name}; say pinned }}",
        ]
        choices += [f"stop {self._random.choice(self._handles)}"] if self._handles else []
        choices += [f"if {name} {{ {step} }}" for step in self._newer_steps(name, f"s{at}")]
        if self._often(0.06):
            self._made.append(f"N{at}")
            return f"x{at} = new N{at}; finalizer x{at}; x{at}.{field} = {name}; {name} = x{at}; drop x{at}"
        chosen = self._random.choice(choices)
        self._pins = self._pins or " pin " in chosen
        return chosen
