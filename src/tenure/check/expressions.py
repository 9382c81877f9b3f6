"""What evaluating an expression means for the resources it touches, in the order the interpreter evaluates."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final

from tenure.check.conditions import Conditions
from tenure.check.effects import TAKEN
from tenure.check.modules import Class, children, dotted_text
from tenure.check.openers import CLOSER_NAMES
from tenure.check.state import LENT, NONE, SELF, Hold, Path, Value, resources_in

__all__ = ["Expressions", "item_of"]

#: Types whose objects open something by a method; calling the type makes such an object.
_TYPES: Final = frozenset({"pathlib.Path", "ctypes.CDLL", "cffi.FFI", "ssl.SSLContext", "io.BytesIO", "io.StringIO"})
_MAKES: Final = {
    "pathlib.Path.cwd": "pathlib.Path",
    "pathlib.Path.home": "pathlib.Path",
    "pathlib.PurePath": "pathlib.Path",
    "pathlib.PosixPath": "pathlib.Path",
    "ssl.create_default_context": "ssl.SSLContext",
    "ctypes.PyDLL": "ctypes.CDLL",
    "cffi.FFI.dlopen": "ctypes.CDLL",
}
#: Attributes of an open object that are the file it reads: closing that closes it.
_INSIDES: Final = frozenset({"fp", "raw", "buffer"})
_LITERALS: Final = (bool, int, str, type(None))


class Expressions(Conditions):
    """Evaluates; ``ev`` is the only door."""

    property_calls: dict[int, ast.Call]  #: the call that reading an attribute is, by the attribute's node

    def exhausted(self, iterated: Value, path: Path, node: ast.AST) -> None:
        raise NotImplementedError

    def ev(self, node: ast.expr, path: Path) -> Value:
        """The value of an expression; ``path`` is changed by what evaluating it does."""
        handler = _HANDLERS.get(node.__class__)
        if handler is not None:
            return handler(self, node, path)
        for child in children(node):
            if isinstance(child, ast.expr):
                self.ev(child, path)
        return None

    def constant(self, node: ast.Constant, path: Path) -> Value:
        return ("k", node.value) if isinstance(node.value, _LITERALS) else None

    def name(self, node: ast.Name, path: Path) -> Value:
        if node.id in path.env:
            return path.env[node.id]
        if node.id in self.locals:
            return None
        return self.global_name(node.id)

    def global_name(self, name: str) -> Value:
        inner = self.function.inner.get(name) or (self.function.outer and self.function.outer.inner.get(name))
        if inner:
            return ("fm", inner, None)
        dotted = self.module.resolve(name)
        if dotted:
            return ("fn", dotted)
        value = self.module.values.get(name)
        made = self.module.resolve(dotted_text(value.func)) if isinstance(value, ast.Call) else ""
        return ("o", _MAKES.get(made, made)) if _MAKES.get(made, made) in _TYPES else None

    def loaded(self, node: ast.Attribute, path: Path) -> Value:
        """An attribute that is not called: plain data holds on to nothing, a property is a call in disguise."""
        value = self.attribute(node, path)
        if value is not None and value[0] == "fm" and "builtins.property" in value[1].decorators():
            asked = self.property_calls.setdefault(id(node), ast.copy_location(ast.Call(node, [], []), node))
            return self.call_function(value, asked, (), path)
        if value is not None and value[0] == "fm" and value[2] is not None and value[2][0] == "h":
            return ("f", value[2][1], id(node), False)  # a bound method holds on to its object
        if value is not None and value[0] == "m":
            kind = self.sites[value[1]].kind
            if value[2] in kind.after | kind.calm and value[2] not in kind.closers | {"closed", "is_closed", "fileno"}:
                return None
        return value

    def attribute(self, node: ast.Attribute, path: Path) -> Value:
        base = self.ev(node.value, path)
        if base is None:
            return ("um", node.attr)
        tag = base[0]
        if tag == "r":
            return self.resource_attribute(base[1], node, path)
        if tag == "self":
            return self.self_attribute(node, path)
        if tag in ("fn", "o"):
            return self.typed_attribute(base, node.attr)
        if tag == "h":
            return self.attribute_of_holder(base, node.attr)
        if tag == "a" and node.attr in CLOSER_NAMES:
            closed = self.own_attribute(base[1], path)
            if closed is not None:
                return ("m", closed[1], node.attr)
        if tag == "a":
            opener = self.opener_of_attribute(base[1], node.attr)
            if opener:
                return ("fn", opener)
        if tag == "p":
            return ("pm", base[1], base[2], node.attr)
        if tag == "c" or (tag == "cm" and node.attr in CLOSER_NAMES):  # ``job.out.close()``, of a job in a list
            return ("cm", base[1], node.attr)
        if tag == "super":
            return self.inherited(node.attr)
        if tag == "m" and (base[2] in _INSIDES or (node.attr in CLOSER_NAMES and self.is_inside(base))):
            return ("m", base[1], node.attr)
        if tag in ("d", "m"):
            for index in resources_in(base):
                self.use(path, index, node, node.attr)
            return ("d", frozenset(resources_in(base)))
        return ("um", node.attr)

    def is_inside(self, value: Value) -> bool:
        """``journal.file``: what the object closes may be closed by itself as well."""
        if value is None or value[0] != "m":
            return False
        cls = self.sites[value[1]].cls
        return cls is not None and self.summaries.classes.closes_somewhere(cls, value[2])

    def resource_attribute(self, index: int, node: ast.Attribute, path: Path) -> Value:
        site = self.sites[index]
        if site.kind_name == "process" and node.attr in ("stdin", "stdout", "stderr"):
            return ("p", index, node.attr)
        if node.attr == "__dict__":
            self.keep(path, ("r", index))  # whoever has that has all of it
        self.use(path, index, node, node.attr)
        return ("m", index, node.attr)

    def self_attribute(self, node: ast.Attribute, path: Path) -> Value:
        key = f"{dotted_text(node.value)}.{node.attr}"
        if key in path.env:
            return path.env[key]
        owner = self.function.owner
        found = self.project.method(owner, node.attr) if owner is not None else None
        return ("fm", found, SELF) if found is not None else ("a", node.attr)

    def typed_attribute(self, base: tuple[Any, ...], attr: str) -> Value:
        dotted = f"{base[1]}.{attr}"
        if base[0] == "o":
            found = self.project.find(self.module.root, base[1])
            method = self.project.method(found, attr) if isinstance(found, Class) else None
            if method is not None:
                return ("fm", method, base)
            if base[1] == "pathlib.Path" and attr in ("parent", "absolute", "resolve", "with_suffix", "joinpath"):
                return base if attr == "parent" else ("makes", "pathlib.Path")
            return ("fn", dotted) if dotted in self.tables.openers or base[1] in _TYPES else ("um", attr)
        return ("fn", dotted)

    def attribute_of_holder(self, base: tuple[Any, ...], attr: str) -> Value:
        found = self.typed_attribute(("o", base[2]), attr)
        held = dict(base[3]).get(attr)
        if held is not None and (found is None or found[0] == "um"):
            return ("r", held)
        return ("fm", found[1], base) if found is not None and found[0] == "fm" else found

    def inherited(self, attr: str) -> Value:
        owner = self.function.owner
        if owner is not None:
            for base in list(self.project.lineage(owner))[1:]:
                if base is not None and attr in base.methods:
                    return ("fm", base.methods[attr], SELF)
        return ("um", attr)

    def await_(self, node: ast.Await, path: Path) -> Value:
        self.awaited.add(id(node.value))
        if isinstance(node.value, ast.Call) and dotted_text(node.value.func).rpartition(".")[2] == "wait_for":
            self.awaited.update(id(argument) for argument in node.value.args[:1])
        value = self.ev(node.value, path)
        self.forget_own(path)  # others have had their turn
        return value

    def named(self, node: ast.NamedExpr, path: Path) -> Value:
        value = self.ev(node.value, path)
        self.bind(node.target, value, path)
        return value

    def if_expression(self, node: ast.IfExp, path: Path) -> Value:
        return self.ev(node.body if self.truth(node.test, path) else node.orelse, path)

    def either(self, node: ast.BoolOp, path: Path) -> Value:
        """``a or b`` is a where a is true; the last one needs no asking."""
        for operand in node.values[:-1]:
            if self.truth(operand, path) == isinstance(node.op, ast.Or):
                value = self.ev(operand, path) if isinstance(operand, ast.Name) else None
                return None if value == NONE else value
        return self.ev(node.values[-1], path)

    def sequence(self, node: ast.Tuple | ast.List | ast.Set, path: Path) -> Value:
        values = tuple(self.ev(member, path) for member in node.elts)
        if isinstance(node, ast.Tuple) and not any(isinstance(m, ast.Starred) for m in node.elts):
            return ("t", values)
        return ("c", frozenset(index for value in values for index in resources_in(value)))

    def mapping(self, node: ast.Dict, path: Path) -> Value:
        for key in node.keys:
            if key is not None:
                self.ev(key, path)
        values = [self.ev(value, path) for value in node.values]
        return ("c", frozenset(index for value in values for index in resources_in(value)))

    def starred(self, node: ast.Starred, path: Path) -> Value:
        return self.ev(node.value, path)

    def subscript(self, node: ast.Subscript, path: Path) -> Value:
        base = self.ev(node.value, path)
        key = self.ev(node.slice, path)
        if base is None:
            return self.opener_among(node.value, ())
        if base[0] == "t" and key is not None and key[0] == "k" and isinstance(key[1], int):
            return base[1][key[1]] if -len(base[1]) <= key[1] < len(base[1]) else None
        if base[0] in ("t", "c"):
            return ("c", frozenset(resources_in(base)))
        if base[0] == "r":
            self.use(path, base[1], node, "[]")
        return None

    def binary(self, node: ast.BinOp, path: Path) -> Value:
        left, right = self.ev(node.left, path), self.ev(node.right, path)
        if isinstance(node.left, ast.Name):
            left = path.env.get(node.left.id, left)  # as it is after the right side
        if isinstance(node.op, ast.Div) and left == ("o", "pathlib.Path"):
            return left
        if isinstance(node.op, ast.Add):
            both = frozenset([*resources_in(left), *resources_in(right)])
            return ("c", both) if both else None
        return None

    def function_over(self, node: ast.Lambda, path: Path) -> Value:
        return self.capture(node, path)

    def capture(self, node: ast.AST, path: Path) -> Value:
        """A function written here holds on to what its body names."""
        if not path.referenced():
            return ("f", frozenset(), id(node), False)  # there is nothing to hold on to
        names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)} - _own_names(node)
        held = frozenset(i for name in names for i in resources_in(path.env.get(name)))
        attributes = {dotted_text(child) for child in ast.walk(node) if isinstance(child, ast.Attribute)}
        more = frozenset(i for name in attributes for i in resources_in(path.env.get(name)))
        return ("f", held | more, id(node), any(_is_closer(child) for child in ast.walk(node)))

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, path: Path) -> Value:
        hidden = []
        outside = self.set_aside(_own_names(node), path)
        for at, generator in enumerate(node.generators):
            iterated = self.ev(generator.iter, path)
            name = f"{node.lineno}:{node.col_offset}:{at} comprehension"
            path.put(name, iterated)
            hidden.append(name)
            self.bind(generator.target, item_of(iterated), path)
            for condition in generator.ifs:
                self.ev(condition, path)
        elements = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        before = set(path.held)
        made = [self.ev(element, path) for element in elements]
        self.next_may_fail({i for value in made for i in resources_in(value)} - before, path, node)
        for name in hidden:
            self.exhausted(path.env.get(name), path, node)
            path.put(name, None)
        for name in outside:
            path.env[name] = path.env.pop(f"{name} outside")
        return ("c", frozenset(index for value in made for index in resources_in(value)))

    def next_may_fail(self, opened: set[int], path: Path, node: ast.AST) -> None:
        """``[stack.enter_context(open(name)) for name in names]``: the second may fail, and the stack is open."""
        names = {self.sites[index].called for index in opened if path.held[index].note == TAKEN}
        openers = [self.tables.openers.get(name) or self.tables.openers.get(f"builtins.{name}") for name in names]
        if any(opener is not None and opener.risky for opener in openers):
            self.may_raise(path, 2, "builtins.OSError", node, "opening the next one")

    def set_aside(self, names: set[str], path: Path) -> list[str]:
        """The names of a comprehension are its own; what they stand for around it is out of sight meanwhile."""
        known = [name for name in names if name in path.env]
        for name in known:
            path.env[f"{name} outside"] = path.env.pop(name)
        return known

    def generator(self, node: ast.GeneratorExp, path: Path) -> Value:
        """Only the first iterable is evaluated now; the rest is captured."""
        first = self.ev(node.generators[0].iter, path)
        _, captured, *_ = self.capture(node, path)  # type: ignore[misc]
        return ("d", frozenset(resources_in(first)) | captured)

    def yield_(self, node: ast.Yield, path: Path) -> Value:
        value = self.ev(node.value, path) if node.value is not None else None
        if self.is_context_manager:
            for index in resources_in(value):
                self.touch(path, index)  # the body is there to use it
            self.may_raise(path, 2, "", node, "the body of the with statement")
            return None
        if self.is_fixture or self.is_driven:
            return None
        self.may_raise(path, 2, "builtins.GeneratorExit", node, "the consumer stops here")
        for index in resources_in(value):
            hold = path.held.get(index)
            if hold is not None and hold.open and not hold.note:
                path.held[index] = Hold(hold.state, hold.parts, LENT)
        return None

    def yield_from(self, node: ast.YieldFrom, path: Path) -> Value:
        path.put("yield from", self.ev(node.value, path))
        if self.is_fixture:
            return None
        self.may_raise(path, 2, "builtins.GeneratorExit", node, "the consumer stops here")
        path.put("yield from", None)
        return None


def _is_closer(node: ast.AST) -> bool:
    """``f.close`` in a function written here: calling that function may close ``f``."""
    return isinstance(node, ast.Attribute) and node.attr in CLOSER_NAMES


def _own_names(node: ast.AST) -> set[str]:
    """The names that a function or a comprehension binds for itself."""
    own: set[str] = set()
    shared: set[str] = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
            own.add(child.id)
        elif isinstance(child, ast.arg):
            own.add(child.arg)
        elif isinstance(child, ast.Nonlocal | ast.Global):
            shared.update(child.names)
    return own - shared


def item_of(value: Value) -> Value:
    """What one step of iterating over a value gives."""
    if value is not None and value[0] in ("c", "t"):
        return ("c", frozenset(resources_in(value)))
    return ("o", value[1]) if value is not None and value[0] == "each" else None


_HANDLERS: Final[dict[type[ast.AST], Callable[[Any, Any, Path], Value]]] = {
    ast.Constant: Expressions.constant,
    ast.Name: Expressions.name,
    ast.Attribute: Expressions.loaded,
    ast.Call: Expressions.call,
    ast.Await: Expressions.await_,
    ast.NamedExpr: Expressions.named,
    ast.IfExp: Expressions.if_expression,
    ast.BoolOp: Expressions.either,
    ast.Tuple: Expressions.sequence,
    ast.List: Expressions.sequence,
    ast.Set: Expressions.sequence,
    ast.Dict: Expressions.mapping,
    ast.Starred: Expressions.starred,
    ast.Subscript: Expressions.subscript,
    ast.BinOp: Expressions.binary,
    ast.Lambda: Expressions.function_over,
    ast.ListComp: Expressions.comprehension,
    ast.SetComp: Expressions.comprehension,
    ast.DictComp: Expressions.comprehension,
    ast.GeneratorExp: Expressions.generator,
    ast.Yield: Expressions.yield_,
    ast.YieldFrom: Expressions.yield_from,
}
