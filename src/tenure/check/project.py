"""The files under check as modules, classes and functions, and what a name in one of them means."""

from __future__ import annotations

import ast
import builtins
import os.path
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tenure.check.source import Unreadable, parse, read_text
from tenure.check.trace import Trace
from tenure.check.words import words

__all__ = [
    "Class",
    "Function",
    "Key",
    "Module",
    "Project",
    "children",
    "dotted_text",
    "index",
    "module_file",
]

#: More bases than this, and what lies behind them counts as out of sight.
MOST_BASES: Final = 60

#: A module, by the folder its imports start from and its dotted name below it.
Key = tuple[str, str]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

#: Fields that hold no call, ever.
_SKIPPED: Final = words(
    "ctx op ops id attr arg name names kind type_comment lineno simple is_async conversion level rest kwd_attrs"
    " annotation returns type_params type_ignores cls"
)
_LEAVES: Final = (ast.Constant, ast.Name, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.MatchSingleton)
_CHILDREN: Final[dict[type[object], tuple[str, ...]]] = {}


def _children(kind: type[object]) -> tuple[str, ...]:
    if not issubclass(kind, ast.AST) or kind in _LEAVES:  # a list may hold None, e.g. for the ``**`` of a dict
        fields: tuple[str, ...] = ()
    else:
        fields = tuple(name for name in kind._fields if name not in _SKIPPED)
    _CHILDREN[kind] = fields
    return fields


def children(node: ast.AST) -> list[ast.AST]:
    """What a node consists of, less what never holds a call: operators, contexts, annotations."""
    kind = node.__class__
    fields = _CHILDREN.get(kind)
    found: list[ast.AST] = []
    for name in _children(kind) if fields is None else fields:
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
        text = dotted_text(value.func if isinstance(value, ast.Call) else value)
        if not text or text.partition(".")[0] in self.values:
            return ""
        full = self.resolve(text)
        return full + rest if full and (rest or not isinstance(value, ast.Call)) else ""


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


def _long_name(node: ast.Attribute) -> str:
    """``a.b.c``; what hangs on no name begins with a dot."""
    parts: list[str] = []
    base: ast.expr = node
    while isinstance(base, ast.Attribute):
        parts.append(base.attr)
        base = base.value
    parts.append(base.id if isinstance(base, ast.Name) else "")
    return ".".join(reversed(parts))


class _Indexer:
    """Fills a module's tables in one walk."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.queue: list[tuple[list[ast.AST], Function, Class | None, str]] = []

    def run(self) -> None:
        module = self.module
        body = Function(module, "<module>", module.tree)
        module.functions["<module>"] = body
        self.queue.append((list(module.tree.body), body, None, ""))
        while self.queue:
            self.walk(*self.queue.pop())
        self.top_level(module.tree.body)
        for function in module.functions.values():
            function.calls |= {full for text in function.calls if (full := self.other_name(text))}

    def other_name(self, text: str) -> str:
        """``io.open`` for ``io_open``, if that is how it was imported or what it was set to."""
        full = self.module.imports.get(text, "")
        if not full and text in self.module.values:
            full = dotted_text(self.module.values[text])
        return full if full.rpartition(".")[2] != text else ""

    def walk(self, stack: list[ast.AST], function: Function, owner: Class | None, prefix: str) -> None:
        children = _CHILDREN
        special = _SPECIAL
        while stack:
            node = stack.pop()
            kind = node.__class__
            action = special.get(kind)
            if action is not None and action(self, node, function, owner, prefix):
                continue
            fields = children.get(kind)
            for name in _children(kind) if fields is None else fields:
                value = getattr(node, name)
                if value.__class__ is list:
                    stack.extend(value)
                elif value is not None:
                    stack.append(value)

    def call(self, node: ast.Call, function: Function, owner: Class | None, prefix: str) -> bool:
        func = node.func
        if isinstance(func, ast.Name):
            function.calls.add(func.id)
            if func.id == "getattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
                function.calls.add(f"{dotted_text(node.args[0])}.{node.args[1].value!s}")
        elif isinstance(func, ast.Attribute):
            base = func.value
            function.calls.add(f"{base.id}.{func.attr}" if isinstance(base, ast.Name) else _long_name(func))
        return False

    def assigned(self, node: ast.Assign, function: Function, owner: Class | None, prefix: str) -> bool:
        """Another name for a function will be called under that name."""
        value = node.value
        if isinstance(value, ast.Attribute | ast.Name):
            text = dotted_text(value)
            if text:
                function.calls.add(text)
        return False

    def define(self, node: FunctionNode, function: Function, owner: Class | None, prefix: str) -> bool:
        qualname = prefix + node.name
        made = Function(self.module, qualname, node, owner, None if function.qualname == "<module>" else function)
        self.module.functions[qualname] = made
        if owner is not None:
            owner.methods[node.name] = made
        else:
            function.inner[node.name] = made
        outside = [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
        self.queue.append((list(outside), function, None, prefix))
        self.queue.append((list(node.body), made, None, f"{qualname}.<locals>."))
        return True

    def classify(self, node: ast.ClassDef, function: Function, owner: Class | None, prefix: str) -> bool:
        made = Class(self.module, prefix + node.name, node)
        self.module.classes[made.qualname] = made
        self.queue.append((list(node.body), function, made, f"{made.qualname}."))
        return True

    def imported(self, node: ast.Import, function: Function, owner: Class | None, prefix: str) -> bool:
        for alias in node.names:
            if alias.asname:
                self.module.imports[alias.asname] = alias.name
            else:
                first = alias.name.partition(".")[0]
                self.module.imports[first] = first
        return True

    def imported_from(self, node: ast.ImportFrom, function: Function, owner: Class | None, prefix: str) -> bool:
        base = self.base_of(node)
        for alias in node.names:
            name = f"{base}.{alias.name}" if base else alias.name
            name = name.rpartition("six.moves.")[2]  # the old names of the standard library
            self.module.imports[alias.asname or alias.name] = _CANONICAL.get(name, name)
        return True

    def base_of(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.module.name.split(".")
        parts = parts if self.module.package else parts[:-1]
        kept = parts[: max(0, len(parts) - node.level + 1)]
        return ".".join([*kept, *([node.module] if node.module else [])])

    def yields(self, node: ast.AST, function: Function, owner: Class | None, prefix: str) -> bool:
        function.generator = True
        return False

    def raising(self, node: ast.Raise, function: Function, owner: Class | None, prefix: str) -> bool:
        function.raises = True
        made = node.exc.func if isinstance(node.exc, ast.Call) else None
        function.raised.add(dotted_text(made) if made is not None else "")
        return False

    def returning(self, node: ast.Return, function: Function, owner: Class | None, prefix: str) -> bool:
        function.returns = function.returns or node.value is not None
        return False

    def top_level(self, body: list[ast.stmt]) -> None:
        """Names set once at the top, also inside ``if`` and ``try``."""
        for node in body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.module.values.setdefault(node.targets[0].id, node.value)
            elif isinstance(node, ast.If | ast.Try):
                self.top_level([*node.body, *node.orelse])
        for made in self.module.classes.values():
            made.bases = [self.module.resolve(dotted_text(base)) or "?" for base in made.node.bases]


_SPECIAL: Final[dict[type[ast.AST], Callable[..., bool]]] = {
    ast.Call: _Indexer.call,
    ast.Assign: _Indexer.assigned,
    ast.FunctionDef: _Indexer.define,
    ast.AsyncFunctionDef: _Indexer.define,
    ast.ClassDef: _Indexer.classify,
    ast.Import: _Indexer.imported,
    ast.ImportFrom: _Indexer.imported_from,
    ast.Yield: _Indexer.yields,
    ast.YieldFrom: _Indexer.yields,
    ast.Raise: _Indexer.raising,
    ast.Return: _Indexer.returning,
}

#: Bases that own nothing and close nothing.
_TRANSPARENT_BASES: Final = words(
    "builtins.object builtins.Exception abc.ABC enum.Enum enum.IntEnum threading.Thread threading.local"
    " builtins.dict builtins.list contextlib.AbstractContextManager contextlib.ContextDecorator unittest.TestCase"
    " contextlib.AbstractAsyncContextManager multiprocessing.Process logging.Handler"
)

#: Other names of the same thing.
_CANONICAL: Final = {
    "_io.open": "io.open",
    "os.path": "os.path",
    "requests.sessions.Session": "requests.Session",
    "concurrent.futures.thread.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor",
}


def index(text: str, path: str, tree: ast.Module, place: tuple[str, str, bool]) -> Module:
    """A module with its tables filled."""
    root, name, package = place
    module = Module(path, root, name, text, tree, package)
    _Indexer(module).run()
    return module


def module_file(root: str, name: str) -> str:
    """Where a module of that name is, a package before a plain file; empty if it is nowhere."""
    parts = name.split(".")
    base = os.path.join(root, *parts)  # most names are nowhere: a Path for each takes longer
    if os.path.isfile(f"{base}/__init__.py"):
        return str(Path(root, *parts, "__init__.py"))
    return str(Path(root, *parts[:-1], f"{parts[-1]}.py")) if os.path.isfile(f"{base}.py") else ""


class Project:
    """The modules read so far; a module that is imported is read when somebody asks for it."""

    def __init__(self) -> None:
        self.modules: dict[Key, Module | None] = {}
        self.trace = Trace()

    def add(self, module: Module) -> None:
        self.modules[module.key] = module

    def module(self, root: str, name: str) -> Module | None:
        """The module of that name, if there is one; one that cannot be read says nothing."""
        self.trace.look(name, "file")
        key = root, name
        if key not in self.modules:
            self.modules[key] = None
            self.modules[key] = self._load(root, name)
        return self.modules[key]

    def has(self, root: str, name: str) -> bool:
        """Whether there is a module of that name."""
        known = self.modules.get((root, name))
        return known is not None or bool(module_file(root, name))

    def _load(self, root: str, name: str) -> Module | None:
        path = module_file(root, name)
        if not path:
            return None
        try:
            text = read_text(Path(path))
            tree = parse(text, path)
        except (Unreadable, OSError, ValueError):
            text, tree = "", ast.Module([], [])
        return index(text, path, tree, (root, name, path.endswith("__init__.py")))

    def find(self, root: str, dotted: str, depth: int = 0) -> Function | Class | None:
        """The function or class of the project a dotted name stands for, through re-exports."""
        parts = dotted.split(".")
        if depth > 8 or parts[0] in ("builtins", "typing"):
            return None
        for cut in range(len(parts) - 1, 0, -1):
            module = self.module(root, ".".join(parts[:cut]))
            if module is not None:
                found = self._inside(module, parts[cut:], depth)
                if found is not None:
                    self.look_at(found)
                return found
        return None

    def look_at(self, found: Function | Class) -> None:
        """Note that somebody looks at a function or a class."""
        kind = "class" if isinstance(found, Class) else "function"
        self.trace.look(found.module.name, kind, found.qualname)

    def _inside(self, module: Module, rest: list[str], depth: int) -> Function | Class | None:
        name = ".".join(rest)
        self.trace.look(module.name, "name", name)
        if name in module.functions:
            return module.functions[name]
        if name in module.classes:
            return module.classes[name]
        if len(rest) > 1 and rest[0] in module.classes:
            return self.method(module.classes[rest[0]], rest[1])
        target = module.imports.get(rest[0])
        return self.find(module.root, ".".join([target, *rest[1:]]), depth + 1) if target else None

    def lineage(self, cls: Class) -> Iterator[Class | None]:
        """The class and its bases, nearest first; ``None`` stands for a base that cannot be seen."""
        seen: set[int] = set()
        queue = [cls]
        while queue:
            if len(seen) >= MOST_BASES:
                yield None
                return
            current = queue.pop(0)
            if id(current) in seen:
                continue
            seen.add(id(current))
            self.look_at(current)
            yield current
            for base in current.bases:
                if base in _TRANSPARENT_BASES or base.startswith(("typing.", "collections.abc.")):
                    continue
                found = self.find(cls.module.root, base) if base != "?" else None
                if isinstance(found, Class):
                    queue.append(found)
                else:
                    yield None

    def method(self, cls: Class, name: str) -> Function | None:
        """The method a call on an instance of ``cls`` would reach."""
        for current in self.lineage(cls):
            if current is not None and name in current.methods:
                return current.methods[name]
        return None
