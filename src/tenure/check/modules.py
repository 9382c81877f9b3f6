"""A file under check as a module with its classes and functions, and what a name in it stands for."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field
from typing import Final

from tenure.check.words import words

__all__ = [
    "CHILD_FIELDS",
    "Class",
    "Function",
    "FunctionNode",
    "Key",
    "Module",
    "child_fields",
    "children",
    "dotted_text",
    "told_in_part",
]

#: A module, by the folder its imports start from and its dotted name below it.
Key = tuple[str, str]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

#: Fields that hold no call, ever.
_SKIPPED: Final = words(
    "ctx op ops id attr arg name names kind type_comment lineno simple is_async conversion level rest kwd_attrs"
    " annotation returns type_params type_ignores cls"
)
_LEAVES: Final = (ast.Constant, ast.Name, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.MatchSingleton)
CHILD_FIELDS: Final[dict[type[object], tuple[str, ...]]] = {}


def child_fields(kind: type[object]) -> tuple[str, ...]:
    """The fields of a kind of node that may hold calls; remembered in ``CHILD_FIELDS``."""
    if not issubclass(kind, ast.AST) or kind in _LEAVES:  # a list may hold None, e.g. for the ``**`` of a dict
        fields: tuple[str, ...] = ()
    else:
        fields = tuple(name for name in kind._fields if name not in _SKIPPED)
    CHILD_FIELDS[kind] = fields
    return fields


def children(node: ast.AST) -> list[ast.AST]:
    """What a node consists of, less what never holds a call: operators, contexts, annotations."""
    kind = node.__class__
    fields = CHILD_FIELDS.get(kind)
    found: list[ast.AST] = []
    for name in child_fields(kind) if fields is None else fields:
        value = getattr(node, name)
        if value.__class__ is list:
            found.extend(member for member in value if member is not None)
        elif value is not None:
            found.append(value)
    return found


@dataclass(eq=False, slots=True)
class Function:
    """A function, a method, or the body of a module."""

    module: Module
    qualname: str
    node: FunctionNode | ast.Module
    owner: Class | None = None
    outer: Function | None = None
    calls: set[str] = field(default_factory=set)  #: every name it calls, as it is written
    generator: bool = False
    raises: bool = False  #: it holds a ``raise``
    raised: set[str] = field(default_factory=set)  #: the classes it raises, as they are written; "" for anything else
    returns: bool = False  #: it returns a value
    inner: dict[str, Function] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.qualname.rpartition(".")[2]

    def calls_any(self, names: set[str]) -> bool:
        """Whether the last part of a name it calls is one of these."""
        return any(text.rpartition(".")[2] in names for text in self.calls)

    @property
    def parameters(self) -> list[str]:
        """Positional parameters first, then keyword-only ones; starred ones are not among them."""
        if isinstance(self.node, ast.Module):
            return []
        given = self.node.args
        return [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]

    def decorators(self) -> list[str]:
        """The dotted text of each decorator, without arguments; what is no name gives an empty text."""
        if isinstance(self.node, ast.Module):
            return []
        plain = (d.func if isinstance(d, ast.Call) else d for d in self.node.decorator_list)
        return [self.module.resolve(dotted_text(d)) if dotted_text(d) else "" for d in plain]


@dataclass(eq=False, slots=True)
class Class:
    """A class statement."""

    module: Module
    qualname: str
    node: ast.ClassDef
    bases: list[str] = field(default_factory=list)
    methods: dict[str, Function] = field(default_factory=dict)
    record: bool = False  #: a dataclass: its fields are there for everybody

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def dotted(self) -> str:
        return f"{self.module.name}.{self.qualname}"


@dataclass(eq=False, slots=True)
class Module:
    """One file, parsed and indexed."""

    path: str
    root: str
    name: str
    text: str
    tree: ast.Module
    package: bool = False
    imports: dict[str, str] = field(default_factory=dict)  #: local name -> dotted name
    values: dict[str, ast.expr] = field(default_factory=dict)  #: module-level name -> what it was set to
    functions: dict[str, Function] = field(default_factory=dict)
    classes: dict[str, Class] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.root, self.name

    def resolve(self, dotted: str) -> str:
        """The full name of a dotted name as this module's top level understands it."""
        first, dot, rest = dotted.partition(".")
        if first in self.imports:
            return self.imports[first] + dot + rest
        if first in self.functions or first in self.classes:
            return f"{self.name}.{dotted}"
        if first in self.values:
            return self._resolve_value(first, dot + rest)
        return f"builtins.{dotted}" if first in _BUILTINS else ""

    def _resolve_value(self, first: str, rest: str) -> str:
        """``libc = CDLL(None)`` makes ``libc.free`` a method of CDLL; ``op = open`` makes ``op`` another name."""
        value = self.values[first]
        if not rest:
            value = told_in_part(self, value)
        text = dotted_text(value.func if isinstance(value, ast.Call) else value)
        owner, _, method = text.partition(".")
        if owner in self.values:
            return f"ctypes.CDLL{rest}" if rest and method == "dlopen" and self._is_ffi(owner) else ""
        if not text:
            return ""
        full = self.resolve(text)
        return full + rest if full and (rest or not isinstance(value, ast.Call)) else ""

    def _is_ffi(self, name: str) -> bool:
        """``ffi = FFI()``: what its ``dlopen`` gives is a library like another."""
        maker = self.values[name]
        text = dotted_text(maker.func) if isinstance(maker, ast.Call) else ""
        return text.partition(".")[0] in self.imports and self.resolve(text) == "cffi.FFI"


def told_in_part(module: Module, node: ast.expr) -> ast.expr:
    """``open`` for ``functools.partial(open, mode="rb")``: the same function."""
    if isinstance(node, ast.Call) and node.args:
        first, dot, rest = dotted_text(node.func).partition(".")
        if module.imports.get(first, "") + dot + rest == "functools.partial":
            return node.args[0]
    return node


_BUILTINS: Final = frozenset(dir(builtins))


def dotted_text(node: ast.AST) -> str:
    """``a.b.c`` for such an expression, else nothing."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    parts.append(node.id)
    return ".".join(reversed(parts))
