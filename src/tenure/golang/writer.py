"""Writes litmus tests as a Go program: the same heap, threads and forced cycles, as real Go code."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from tenure.golang.gosteps import GoSteps
from tenure.golang.names import HEAP
from tenure.golang.syntax import Function, Litmus, Thread, walk
from tenure.golang.wording import NotInGo

__all__ = ["needs_cleanups", "write"]

_NEWER: Final = frozenset({"weak", "strong", "cleanup", "register", "lookup", "scan", "unregister"})

_IMPORTS: Final = "//IMPORTS"
_MARKER: Final = "//CLEANUPMARKER"
_CLEANUP_MARKER: Final = """cleanups := make(chan struct{})
		dropCleanupMarker(cleanups)
		markers = append(markers, cleanups)"""
_DROP_CLEANUP_MARKER: Final = """
//go:noinline
func dropCleanupMarker(done chan struct{}) {
	runtime.AddCleanup(&marker{}, func(done chan struct{}) { close(done) }, done)
}
"""


def needs_cleanups(test: Litmus) -> bool:
    """Whether ``test`` uses weak pointers or cleanups, which Go has since 1.24."""
    return any(statement.verb in _NEWER for statement in test.statements())


def write(tests: Sequence[Litmus], version: str) -> str:
    """One Go program for all of ``tests``, of which its first argument chooses one; ``version`` is like ``1.24``."""
    newer = _number(version) >= (1, 24)
    harness = files("tenure.golang").joinpath("harness.go.txt").read_text("utf-8")
    programs = [_text(test, f"t{index}", newer) for index, test in enumerate(tests)]
    body = "".join(programs)
    imports = [name for name in ("weak", "unsafe") if f"{name}." in body]
    harness = harness.replace(_IMPORTS, "\n\t".join(f'"{name}"' for name in imports))
    own_queue = _number(version) >= (1, 25)
    harness = harness.replace(_MARKER, _CLEANUP_MARKER if own_queue else "")
    table = ", ".join(f"t{index}run" for index in range(len(tests)))
    return (
        harness
        + (_DROP_CLEANUP_MARKER if own_queue else "")
        + f"\nvar programs = []func() func() string{{{table}}}\n"
        + body
    )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _text(test: Litmus, prefix: str, newer: bool) -> str:
    if needs_cleanups(test) and not newer:
        raise NotInGo(f"{test.name}: weak pointers and cleanups are there since go1.24")
    return _Program(test, prefix, newer).text()


class _Program(GoSteps):
    """One test as Go declarations."""

    def text(self) -> str:
        """All of the test's declarations."""
        parts = [self._declarations()]
        parts += [self._function(function) for function in self._test.functions]
        parts += [self._thread(thread) for thread in self._test.threads]
        parts += [self._heap(), self._run()]
        return "\n".join([*parts, *self._sites]) + "\n"

    def _declarations(self) -> str:
        fields = "".join(f"\t{self._field(name)} {self._type(('', '.' + name))}\n" for name in self._names.fields)
        canary = "\tcanary *marker\n" if self._watched else ""
        lines = [f"\n// {self._test.name}\ntype {self._go('node')} struct {{\n\tname string\n{fields}{canary}}}\n"]
        lines += [f"var {self._said('G', name)} {self._type(('', name))}" for name in self._test.globals]
        lines += [f"var {self._go('flag-' + name)} = make(chan struct{{}})" for name in self._names.flags]
        lines += [f"var {self._go('once-' + name)} sync.Once" for name in self._names.flags]
        lines += [f"var {self._go('lock-' + name)} sync.Mutex" for name in self._names.locks]
        lines += [
            f"var {self._given_to(thread.name, name)} {self._type((thread.name, name))}"
            for thread in self._test.threads
            for name in self._given(thread)
        ]
        verbs = {statement.verb for statement in self._test.statements()}
        if "pool" in verbs:
            lines.append(f"var {self._go('pool')} sync.Pool")
        if "pin" in verbs:
            lines.append(f"var {self._go('pinner')} runtime.Pinner")
        if "register" in verbs:
            node = self._go("node")
            lines.append(f"type {self._go('entry')} struct {{\n\tkey weak.Pointer[{node}]\n\tblock int\n}}\n")
            lines.append(f"var {self._go('registry')} = map[uintptr]{self._go('entry')}{{}}")
            lines.append(f"var {self._go('registering')} sync.Mutex")
        lines += [
            f"var {self._go('static-' + n)} {self._go('node')}" for n, k in self._names.special.items() if k != "zero"
        ]
        return "\n".join(lines)

    def _given(self, thread: Thread) -> list[str]:
        """The variables of ``thread`` that the heap sets."""
        targets = [s.target for s in walk(self._test.heap) if s.target and s.target.name == thread.name]
        return list(dict.fromkeys(target.field for target in targets))

    def _function(self, function: Function) -> str:
        self._begin(function.name)
        self._add(f'begin("{function.name}")')
        given = [*((function.parameter,) if function.parameter else ()), *function.captures]
        self._variables([name for name in self._names.variables[function.name] if name not in given])
        self._statements(function.body)
        self._add("done()")
        words = ", ".join(f"{self._local(name)} {self._type((function.name, name))}" for name in given)
        return f"func {self._said('F', function.name)}({words}) {{\n{self._end()}}}\n"

    def _thread(self, thread: Thread) -> str:
        self._begin(thread.name)
        given = self._given(thread)
        for name in given:
            variable = self._given_to(thread.name, name)
            self._add(f"{self._local(name)} := {variable}")
            self._add(f"{variable} = {self._nothing((thread.name, name))}")
            self._add(f"_ = {self._local(name)}")
        self._variables([name for name in self._names.variables[thread.name] if name not in given])
        self._statements(thread.body)
        return f"//go:noinline\nfunc {self._said('T', thread.name)}() {{\n{self._end()}}}\n"

    def _heap(self) -> str:
        self._begin(HEAP)
        self._variables([])
        special, made = self._names.special, set(self._names.made.get(HEAP, []))
        elsewhere = {name for scope, names in self._names.made.items() if scope != HEAP for name in names}
        for name in self._names.objects:
            local = self._local(name)
            if special.get(name) == "zero":
                self._add(f"{local} := &struct{{}}{{}}")
            elif name in special:
                self._add(f"{local} := &{self._go('static-' + name)}")
                self._add(f'{local}.name = "{name}"')
            elif name not in elsewhere and name not in made:
                self._add(f'{local} := &{self._go("node")}{{name: "{name}"}}')
                self._canary(local, name)
            else:
                continue
            self._add(f"_ = {local}")
        self._statements(self._test.heap)
        return f"//go:noinline\nfunc {self._go('heap-of-it')}() {{\n{self._end()}}}\n"

    def _run(self) -> str:
        threads = "".join(f"\tgo thread(&all, {self._said('T', thread.name)})\n" for thread in self._test.threads)
        shown = "".join(f'\t\tlines += "global {name} " + {self._shown(name)} + "\\n"\n' for name in self._test.globals)
        return (
            f"{self._name_function()}"
            f"func {self._prefix}run() func() string {{\n\truntime.GOMAXPROCS({self._test.procs})\n"
            f"\t{self._go('heap-of-it')}()\n\tvar all sync.WaitGroup\n\tall.Add({len(self._test.threads)})\n{threads}"
            f"\tall.Wait()\n\treturn func() (lines string) {{\n{shown}\t\treturn lines\n\t}}\n}}\n"
        )

    def _name_function(self) -> str:
        node = self._go("node")
        return (
            f"func {self._go('name-of')}(p *{node}) string {{\n"
            '\tif p == nil {\n\t\treturn "nil"\n\t}\n\treturn p.name\n}\n'
        )

    def _shown(self, name: str) -> str:
        variable, kind = self._said("G", name), self._names.kind(("", name))
        if kind == "object":
            return f"{self._go('name-of')}({variable})"
        if kind in ("native", "descriptor"):
            return f"{'blockName' if kind == 'native' else 'fileName'}({variable})"
        nothing = self._nothing(("", name))
        return f'map[bool]string{{true: "nil", false: "{kind}"}}[{variable} == {nothing}]'
