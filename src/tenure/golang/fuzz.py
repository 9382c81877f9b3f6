"""Random litmus tests: graphs, captures, self-pointers, cleanups, weak pointers, and finalizers of every kind."""

from __future__ import annotations

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
        self._functions: list[str] = []
        self._handles: list[str] = []
        self._weak: list[str] = []
        self._blocks = False

    def text(self, seed: int) -> str:
        """The whole test."""
        heap = self._edges() + self._finalizers() + self._holders()
        heap += self._cleanups() + self._weak_pointers() if self._newer else []
        self._random.shuffle(heap)
        columns = self._columns()
        names = " ".join([*_GLOBALS, *self._handles, *self._weak])
        # Before go1.24 the freeing is seen by a finalizer, which waits behind a blocked one.
        freed = "" if self._blocks and not self._newer else " ".join(self._objects)
        heap = [f"object {name}" for name in self._objects] + heap
        head = [f"litmus random-{seed}", '"A random program."', f"global {names}", "heap {", *heap, "}"]
        observe = f"observe {self._events()} {' '.join(_GLOBALS)} {freed}"
        return "\n".join([*head, *self._functions, *columns, observe, "exists throw", ""])

    def _events(self) -> str:
        return self._random.choice(("events", "events", "order"))

    def _often(self, chance: float) -> bool:
        return self._random.random() < chance

    def _any(self) -> str:
        return self._random.choice(self._objects)

    # -- the heap

    def _edges(self) -> list[str]:
        many = self._random.randint(0, len(self._objects) + 1)
        return [f"{self._any()}.{self._random.choice(_FIELDS)} = {self._any()}" for _ in range(many)]

    def _holders(self) -> list[str]:
        return [f"{name} = {self._any()}" for name in _GLOBALS[:2] if self._often(0.7)]

    def _finalizers(self) -> list[str]:
        return [self._finalizer(name) for name in self._objects if self._often(0.65)]

    def _finalizer(self, name: str) -> str:
        if self._often(0.25):
            return f"finalizer {name}"
        captured = self._any() if self._often(0.2) else ""
        function = f"f{name}"
        capture, closure = (" [c]", f"[{captured}]") if captured else ("", "")
        body = "; ".join(self._body(function, bool(captured)) for _ in range(self._random.randint(0, 2)))
        self._functions.append(f"func {function}(a){capture} {{ {body} }}")
        return f"finalizer {name} {function}{closure}"

    def _body(self, function: str, captures: bool) -> str:
        field, again = self._random.choice(_FIELDS), function + ("[c]" if captures else "")
        choices = [
            f"finalizer a {again}",
            "finalizer a",
            "kept = a",
            f"kept = a.{field}",
            f"a.{field} = nil",
            f"b = a.{field}; if b {{ finalizer b nil }}",
            f"b = a.{field}; if b {{ b.{field} = a }}",
            "if kept { kept.left = a }",
            "kept = nil",
            f"say {function}-end",
        ]
        choices += ["keepalive c", "kept = c", f"c.{field} = a"] if captures else []
        if not self._blocks and self._often(0.12):
            self._blocks = True
            return "wait proceed"
        if self._often(0.02):
            self._blocks = True
            return "goexit"
        return self._random.choice(choices)

    def _cleanups(self) -> list[str]:
        return [self._cleanup(name, at) for at, name in enumerate(self._objects * 2) if self._often(0.25)]

    def _cleanup(self, name: str, at: int) -> str:
        function, others = f"c{at}", [other for other in self._objects if other != name]
        argument = self._random.choice(others) if self._often(0.4) else ""
        captured = self._random.choice(others) if self._often(0.15) else ""
        capture, closure = (" [c]", f"[{captured}]") if captured else ("", "")
        choices = [f"say {function}-end", "kept = nil"] + (["kept = x", "keepalive x"] if argument else [])
        choices += ["keepalive c"] if captured else []
        body = self._random.choice(choices) if self._often(0.5) else ""
        if not self._blocks and self._often(0.1):
            self._blocks, body = True, "wait proceed"
        self._functions.append(f"func {function}({'x' if argument else ''}){capture} {{ {body} }}")
        handle = ""
        if self._often(0.3):
            self._handles.append(f"h{at}")
            handle = f"h{at} = "
        return f"{handle}cleanup {name} {function}{closure} {argument}"

    def _weak_pointers(self) -> list[str]:
        self._weak = [f"w{at}" for at in range(self._random.randint(0, 3))]
        return [f"{name} = weak {self._any()}" for name in self._weak]

    # -- the threads

    def _columns(self) -> list[str]:
        main = self._main()
        if not self._often(0.1):
            return ["threads main", *main]
        other = [self._action(at) for at in range(20, 20 + self._random.randint(1, 2))]
        rows = max(len(main), len(other))
        main += [""] * (rows - len(main))
        other += [""] * (rows - len(other))
        return ["threads main | other", *(f"{one} | {two}" for one, two in zip(main, other, strict=True))]

    def _main(self) -> list[str]:
        lines: list[str] = []
        for at in range(self._random.randint(2, 4)):
            lines += [self._action(10 * at + step) for step in range(self._random.randint(0, 2))]
            lines.append("cycle")
        lines += ["g0 = nil; g1 = nil", "raise proceed; settle", "cycle 2"]
        return lines

    def _action(self, at: int) -> str:
        name, field = self._random.choice(_GLOBALS), self._random.choice(_FIELDS)
        choices = [
            f"{name} = nil",
            f"{name} = nil",
            f"if {name} {{ {name}.{field} = nil }}",
            f"if {name} {{ {name}.{field} = {self._random.choice(_GLOBALS)} }}",
            f"{name} = {self._random.choice(_GLOBALS)}",
            f"if {name} {{ finalizer {name} nil }}",
            f"if {name} {{ finalizer {name} nil; finalizer {name} }}",
            f"if {name} {{ x{at} = {name}.{field}; {name} = x{at}; drop x{at} }}",
        ]
        choices += [f"stop {self._random.choice(self._handles)}"] if self._handles else []
        if self._weak:
            weak = self._random.choice(self._weak)
            choices += [f"s{at} = strong {weak}; if s{at} {{ say {weak}-alive }}; drop s{at}", f"kept = strong {weak}"]
            choices += [f"if {name} {{ {weak} = weak {name} }}"]
        return self._random.choice(choices)
