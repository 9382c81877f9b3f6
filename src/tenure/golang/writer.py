"""Writes litmus tests as a Go program: the same heap, threads and forced cycles, as real Go code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Final

from tenure.golang.names import HEAP, Key, Names, is_object, resolve
from tenure.golang.syntax import Function, Litmus, Location, Reference, Statement, Thread, walk

__all__ = ["NotInGo", "needs_cleanups", "write"]

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


class NotInGo(ValueError):
    """A test that cannot be written as a Go program, and why."""


def needs_cleanups(test: Litmus) -> bool:
    """Whether ``test`` uses weak pointers or cleanups, which Go has since 1.24."""
    return any(statement.verb in _NEWER for statement in test.statements())


def write(tests: Sequence[Litmus], version: str) -> str:
    """One Go program for all of ``tests``, of which its first argument chooses one; ``version`` is like ``1.24``."""
    newer = _number(version) >= (1, 24)
    harness = files("tenure.golang").joinpath("harness.go.txt").read_text("utf-8")
    programs = [_Program(test, f"t{index}", newer).text() for index, test in enumerate(tests)]
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


class _Program:
    """One test as Go: everything it declares begins with its prefix."""

    def __init__(self, test: Litmus, prefix: str, newer: bool) -> None:
        if needs_cleanups(test) and not newer:
            raise NotInGo(f"{test.name}: weak pointers and cleanups are there since go1.24")
        self._test, self._prefix, self._newer = test, prefix, newer
        self._names: Names = resolve(test)
        self._functions = {function.name: function for function in test.functions}
        self._sites: list[str] = []
        self._scope = HEAP
        self._lines: list[str] = []
        self._watched = self._freed_watched()
        self._many = len(test.threads) > 1

    def _freed_watched(self) -> set[str]:
        from tenure.golang.syntax import atoms

        asked = {atom.name for atom in atoms(self._test.question.expression) if atom.kind == "freed"}
        return (asked | set(self._test.observe)) & set(self._names.objects)

    # -- names and types

    def _go(self, name: str) -> str:
        """A name of the test as one of Go's; two that differ in the test differ in Go too."""
        return f"{self._prefix}_{name.replace('_', '__').replace('-', '_d')}"

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
            return self._go(f"{location.name}-{location.field}")
        base = self._go(location.name) if location.name in self._test.globals else self._local(location.name)
        return f"{base}.{self._field(location.field)}" if location.field else base

    @staticmethod
    def _local(name: str) -> str:
        return "v" + name.replace("_", "__").replace("-", "_d")

    @staticmethod
    def _field(name: str) -> str:
        return "f" + name.replace("_", "__").replace("-", "_d")

    # -- the text

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
        lines += [f"var {self._go(name)} {self._type(('', name))}" for name in self._test.globals]
        lines += [f"var {self._go('flag-' + name)} = make(chan struct{{}})" for name in self._names.flags]
        lines += [f"var {self._go('once-' + name)} sync.Once" for name in self._names.flags]
        lines += [f"var {self._go('lock-' + name)} sync.Mutex" for name in self._names.locks]
        lines += [
            f"var {self._go(f'{thread.name}-{name}')} {self._type((thread.name, name))}"
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
        return f"func {self._go(function.name)}({words}) {{\n{self._end()}}}\n"

    def _thread(self, thread: Thread) -> str:
        self._begin(thread.name)
        given = self._given(thread)
        for name in given:
            variable = self._go(f"{thread.name}-{name}")
            self._add(f"{self._local(name)} := {variable}")
            self._add(f"{variable} = {self._nothing((thread.name, name))}")
            self._add(f"_ = {self._local(name)}")
        self._variables([name for name in self._names.variables[thread.name] if name not in given])
        self._statements(thread.body)
        return f"//go:noinline\nfunc {self._go(thread.name)}() {{\n{self._end()}}}\n"

    def _heap(self) -> str:
        self._begin(HEAP)
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
        threads = "".join(
            f"\tgo func() {{\n\t\tdefer all.Done()\n\t\t{self._go(thread.name)}()\n\t}}()\n"
            for thread in self._test.threads
        )
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
        variable, kind = self._go(name), self._names.kind(("", name))
        if kind == "object":
            return f"{self._go('name-of')}({variable})"
        if kind in ("native", "descriptor"):
            return f"{'blockName' if kind == 'native' else 'fileName'}({variable})"
        nothing = self._nothing(("", name))
        return f'map[bool]string{{true: "nil", false: "{kind}"}}[{variable} == {nothing}]'

    # -- lines

    def _begin(self, scope: str) -> None:
        self._scope, self._lines = scope, []

    def _end(self) -> str:
        return "".join(f"\t{line}\n" for line in self._lines)

    def _add(self, line: str) -> None:
        self._lines.append(line)

    def _variables(self, names: Sequence[str]) -> None:
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

    # -- steps

    def _statements(self, body: Sequence[Statement]) -> None:
        for statement in body:
            if self._many and self._scope != HEAP:
                self._add("pause()")
            writer: Callable[[Statement], None] = getattr(self, "_w_" + statement.verb)
            writer(statement)

    def _block(self, body: Sequence[Statement]) -> None:
        outer, self._lines = self._lines, []
        self._statements(body)
        inner, self._lines = self._lines, outer
        for line in inner:
            self._add("\t" + line)

    def _assign(self, statement: Statement, value: str) -> None:
        self._add(f"{self._value(statement.target)} = {value}" if statement.target else value)

    def _operand(self, statement: Statement, at: int = 0) -> str:
        return self._value(statement.locations[at])

    def _w_nil(self, statement: Statement) -> None:
        assert statement.target is not None
        self._assign(statement, self._nothing(self._key(statement.target)))

    def _w_drop(self, statement: Statement) -> None:
        location = statement.locations[0]
        self._add(f"{self._value(location)} = {self._nothing(self._key(location))}")

    def _w_copy(self, statement: Statement) -> None:
        self._assign(statement, self._operand(statement))

    def _w_new(self, statement: Statement) -> None:
        if is_object(statement.name) and self._scope == HEAP:
            self._add(f'{self._local(statement.name)} := &{self._go("node")}{{name: "{statement.name}"}}')
            self._canary(self._local(statement.name), statement.name)
            self._assign(statement, self._local(statement.name))
            return
        watched = statement.name in self._watched
        node, function = self._go("node"), self._go(f"new-{statement.name}")
        self._site(
            f"//go:noinline\nfunc {function}() *{node} {{\n"
            f'\tp := &{node}{{name: "{statement.name}"}}\n'
            + (f"\tp.canary = &marker{{}}\n\t{self._go('canary')}(p.canary, p.name)\n" if watched else "")
            + "\treturn p\n}\n"
        )
        if watched:
            (self._canary_weak if self._newer else self._canary_finalizer)(statement.name)
        self._assign(statement, f"{function}()")

    def _w_malloc(self, statement: Statement) -> None:
        self._assign(statement, f'malloc("{statement.name}")')

    def _w_open(self, statement: Statement) -> None:
        self._assign(statement, f'open("{statement.name}")')

    def _resource(self, call: str, statement: Statement) -> None:
        """Call it; between a field's load and the call there is room for others, as in the model."""
        operand = self._operand(statement)
        if self._many and statement.locations[0].field:
            self._add(f"func(loaded {self._type(self._key(statement.locations[0]))}) {{")
            self._add("\tpause()")
            self._add(f"\t{call}(loaded)")
            self._add(f"}}({operand})")
        else:
            self._add(f"{call}({operand})")

    def _w_free(self, statement: Statement) -> None:
        self._resource("free", statement)

    def _w_use(self, statement: Statement) -> None:
        self._resource("use", statement)

    def _w_read(self, statement: Statement) -> None:
        self._resource("read", statement)

    def _w_close(self, statement: Statement) -> None:
        self._resource("closeFile", statement)

    def _closure(self, reference: Reference) -> list[str]:
        return [self._value(location) for location in reference.captures]

    def _w_finalizer(self, statement: Statement) -> None:
        pointer, function = self._operand(statement), statement.function
        zero = self._names.special.get(statement.locations[0].name) == "zero" and self._scope == HEAP
        kind = "*struct{}" if zero else "*" + self._go("node")
        if function is None:
            self._add(f"runtime.SetFinalizer({pointer}, nil)")
        elif zero:
            self._add(f'runtime.SetFinalizer({pointer}, func({kind}) {{ event("{function.name or "zero"}") }})')
        elif not function.name:
            self._add(f"runtime.SetFinalizer({pointer}, func(p {kind}) {{ event(p.name) }})")
        else:
            self._add(f"runtime.SetFinalizer({pointer}, {self._bound(function, kind)})")

    def _bound(self, reference: Reference, kind: str) -> str:
        """A function value that calls the test's function with its captures; made where it captures nothing else."""
        function = self._functions[reference.name]
        captures = [f"c{at} {self._type((function.name, name))}" for at, name in enumerate(function.captures)]
        passed = [*(("a",) if function.parameter else ()), *(f"c{at}" for at in range(len(captures)))]
        maker = self._go(f"bind-{reference.name}-{len(kind)}")
        self._site(
            f"//go:noinline\nfunc {maker}({', '.join(captures)}) func({kind}) {{\n"
            f"\treturn func(a {kind}) {{ {self._go(reference.name)}({', '.join(passed)}) }}\n}}\n"
        )
        return f"{maker}({', '.join(self._closure(reference))})"

    def _w_cleanup(self, statement: Statement) -> None:
        function = statement.function
        assert function is not None
        zero = self._names.special.get(statement.locations[0].name) == "zero" and self._scope == HEAP
        argument = self._operand(statement, 1) if len(statement.locations) > 1 else "0"
        kind = self._type(self._key(statement.locations[1])) if len(statement.locations) > 1 else "int"
        if zero and len(statement.locations) > 1:
            raise NotInGo(f"{self._test.name}: a cleanup with an argument on an object of no size")
        call = f"runtime.AddCleanup({self._operand(statement)}, {self._bound(function, kind)}, {argument})"
        self._assign(statement, call)

    def _w_stop(self, statement: Statement) -> None:
        self._add(f"{self._operand(statement)}.Stop()")

    def _w_weak(self, statement: Statement) -> None:
        self._assign(statement, f"weak.Make({self._operand(statement)})")

    def _w_strong(self, statement: Statement) -> None:
        self._assign(statement, f"{self._operand(statement)}.Value()")

    def _w_keepalive(self, statement: Statement) -> None:
        self._add(f"runtime.KeepAlive({self._operand(statement)})")

    def _w_gc(self, statement: Statement) -> None:
        self._add("gc()")

    def _w_settle(self, statement: Statement) -> None:
        self._add(f"settle({'true' if self._scope in self._functions else 'false'})")

    def _w_cycle(self, statement: Statement) -> None:
        for _ in range(max(statement.number, 1) if statement.number else 0):
            self._w_gc(statement)
            self._w_settle(statement)

    def _waiting(self, how: str) -> None:
        """Wait, and let settle know if that holds up one of the runtime's goroutines."""
        inside = self._scope in self._functions
        if inside:
            self._add("waits(true, 1)")
        self._add(how)
        if inside and how != "select {}":
            self._add("waits(true, -1)")

    def _w_wait(self, statement: Statement) -> None:
        self._waiting(f"<-{self._go('flag-' + statement.name)}")

    def _w_raise(self, statement: Statement) -> None:
        self._add(f"{self._go('once-' + statement.name)}.Do(func() {{ close({self._go('flag-' + statement.name)}) }})")

    def _w_lock(self, statement: Statement) -> None:
        self._waiting(f"{self._go('lock-' + statement.name)}.Lock()")

    def _w_unlock(self, statement: Statement) -> None:
        self._add(f"{self._go('lock-' + statement.name)}.Unlock()")

    def _w_block(self, statement: Statement) -> None:
        self._waiting("select {}")

    def _w_say(self, statement: Statement) -> None:
        self._add(f'event("{statement.name}")')

    def _w_panic(self, statement: Statement) -> None:
        self._add('if cycle >= 0 {\n\t\tpanic("panic")\n\t}')

    def _w_goexit(self, statement: Statement) -> None:
        if self._scope in self._functions:
            self._add("done()")
        self._add("runtime.Goexit()")

    def _w_exit(self, statement: Statement) -> None:
        status = max(statement.number, 0)
        self._add(f'tell("end exited: {status}")')
        self._add(f"os.Exit({status})")

    def _w_register(self, statement: Statement) -> None:
        pointer, registry = self._operand(statement), self._go("registry")
        entry = f"{self._go('entry')}{{weak.Make({pointer}), {self._operand(statement, 1)}}}"
        self._registry(f"{registry}[{self._address(pointer)}] = {entry}")

    @staticmethod
    def _address(pointer: str) -> str:
        return f"uintptr(unsafe.Pointer({pointer}))"

    def _registry(self, *lines: str) -> None:
        lock = self._go("registering")
        for line in (f"{lock}.Lock()", *lines, f"{lock}.Unlock()"):
            self._add(line)

    def _w_unregister(self, statement: Statement) -> None:
        self._registry(f"delete({self._go('registry')}, {self._address(self._operand(statement))})")

    def _w_lookup(self, statement: Statement) -> None:
        assert statement.target is not None
        found = f"{self._go('registry')}[{self._address(self._operand(statement))}].block"
        self._registry(f"{self._value(statement.target)} = {found}")

    def _w_scan(self, statement: Statement) -> None:
        registry = self._go("registry")
        self._registry(
            f"for key, entry := range {registry} {{",
            "\tif entry.key.Value() == nil {",
            f"\t\tdelete({registry}, key)",
            "\t\tfree(entry.block)",
            "\t}",
            "}",
        )

    def _w_address(self, statement: Statement) -> None:
        self._assign(statement, self._address(self._operand(statement)))

    def _w_pointer(self, statement: Statement) -> None:
        """By way of memory: the compiler would not let a number become a pointer so simply."""
        node, function = self._go("node"), self._go("pointer-of")
        self._site(f"func {function}(n uintptr) *{node} {{ return *(**{node})(unsafe.Pointer(&n)) }}\n")
        self._assign(statement, f"{function}({self._operand(statement)})")

    def _w_pool(self, statement: Statement) -> None:
        self._add(f"{self._go('pool')}.Put({self._operand(statement)})")

    def _w_pin(self, statement: Statement) -> None:
        self._add(f"{self._go('pinner')}.Pin({self._operand(statement)})")

    def _w_unpin(self, statement: Statement) -> None:
        self._add(f"{self._go('pinner')}.Unpin()")

    def _w_object(self, statement: Statement) -> None:
        """Done where the objects are made."""

    _w_static = _w_zero = _w_object

    def _condition(self, statement: Statement, equal: str, unequal: str) -> str:
        one = self._operand(statement)
        if len(statement.locations) > 1:
            return f"{one} {equal} {self._operand(statement, 1)}"
        return f"{one} {unequal} ({self._nothing(self._key(statement.locations[0]))})"

    def _w_if(self, statement: Statement) -> None:
        self._branch(self._condition(statement, "==", "!="), statement)

    def _w_unless(self, statement: Statement) -> None:
        self._branch(self._condition(statement, "!=", "=="), statement)

    def _branch(self, condition: str, statement: Statement) -> None:
        self._add(f"if {condition} {{")
        self._block(statement.body)
        if statement.orelse:
            self._add("} else {")
            self._block(statement.orelse)
        self._add("}")

    def _w_once(self, statement: Statement) -> None:
        self._add(f"{self._operand(statement)}.Do(func() {{")
        self._block(statement.body)
        self._add("})")

    def _w_recover(self, statement: Statement) -> None:
        self._add("func() {")
        self._add("\tdefer func() { recover() }()")
        self._block(statement.body)
        self._add("}()")
