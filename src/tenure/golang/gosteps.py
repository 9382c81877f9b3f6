"""Each step of a litmus test as lines of Go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from tenure.golang.names import HEAP
from tenure.golang.sense import is_object
from tenure.golang.syntax import Reference, Statement
from tenure.golang.wording import NotInGo, Wording

__all__ = ["GoSteps"]

#: The steps during which no cycle may be under way, where somebody else could force one.
_WHOLE: Final = frozenset({
    "nil", "drop", "copy", "new", "weak", "strong", "cleanup", "stop", "finalizer", "pool", "pin", "unpin", "say",
    "register", "unregister", "lookup", "scan", "address", "pointer",
})  # fmt: skip


class GoSteps(Wording):
    """Writes steps; the step ``x`` has the method ``_w_x``."""

    def _statements(self, body: Sequence[Statement]) -> None:
        for statement in body:
            if self._many and self._scope != HEAP:
                self._add("pause()")
            whole = self._steps_aside and self._scope != HEAP and statement.verb in _WHOLE
            if whole:
                self._add("held = step()")
            writer: Callable[[Statement], None] = getattr(self, "_w_" + statement.verb)
            writer(statement)
            if whole:
                self._add("held = stepped()")

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
            f"\treturn func(a {kind}) {{ {self._said('F', reference.name)}({', '.join(passed)}) }}\n}}\n"
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
        self._add("\tdefer func() {")
        self._add("\t\tif recover() != nil && held {")
        self._add("\t\t\theld = stepped()")
        self._add("\t\t}")
        self._add("\t}()")
        self._block(statement.body)
        self._add("}()")
