"""A module's tables, filled in one walk over its tree."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Final

from tenure.check.fields import constructor_of
from tenure.check.modules import (
    CHILD_FIELDS,
    Class,
    Function,
    FunctionNode,
    Module,
    child_fields,
    dotted_text,
    told_in_part,
)
from tenure.check.versions import answered

__all__ = ["index"]

#: Other names of the same thing.
_CANONICAL: Final = {
    "_io.open": "io.open",
    "os.path": "os.path",
    "requests.sessions.Session": "requests.Session",
    "concurrent.futures.thread.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor",
}


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
        for cls in module.classes.values():
            self.construct(cls)
        for function in module.functions.values():
            function.calls |= {full for text in function.calls for full in self.other_names(text) if full}

    def other_names(self, text: str) -> list[str]:
        """What else a call may be called: everything in a table, for ``TABLE[key]()`` and ``TABLE.get(key)``."""
        name, _, method = text.rpartition(".")
        table = self.module.values.get(name) if method == "get" else None
        return [dotted_text(v) for v in table.values] if isinstance(table, ast.Dict) else [self.other_name(text)]

    def other_name(self, text: str) -> str:
        """``io.open`` for ``io_open``, if that is how it was imported or what it was set to."""
        full = self.module.imports.get(text, "")
        if not full and text in self.module.values:
            full = dotted_text(told_in_part(self.module, self.module.values[text]))
        return full if full.rpartition(".")[2] != text else ""

    def walk(self, stack: list[ast.AST], function: Function, owner: Class | None, prefix: str) -> None:
        children = CHILD_FIELDS
        special = _SPECIAL
        while stack:
            node = stack.pop()
            kind = node.__class__
            action = special.get(kind)
            if action is not None and action(self, node, function, owner, prefix):
                continue
            fields = children.get(kind)
            for name in child_fields(kind) if fields is None else fields:
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
        elif isinstance(func, ast.Subscript) and isinstance(func.value, ast.Name):
            function.calls.add(f"{func.value.id}.get")
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

    def branch(self, node: ast.If, function: Function, owner: Class | None, prefix: str) -> bool:
        """A name that means something else for Python 2 has the other meaning: what is read last counts."""
        answer = answered(node.test)
        if answer is None:
            return False
        live, dead = (node.body, node.orelse) if answer else (node.orelse, node.body)
        self.queue.append((list(live), function, owner, prefix))
        self.queue.append((list(dead), function, owner, prefix))
        return True

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

    def construct(self, cls: Class) -> None:
        """A dataclass has a constructor that stands nowhere."""
        node = constructor_of(cls) if cls.node.decorator_list else None
        if node is not None:
            made = Function(self.module, f"{cls.qualname}.__init__", node, cls)
            if "__post_init__" in cls.methods:
                made.calls.add("self.__post_init__")
            self.module.functions[made.qualname] = cls.methods["__init__"] = made
            cls.record = True

    def top_level(self, body: list[ast.stmt]) -> None:
        """Names set once at the top, also inside ``if`` and ``try``."""
        for node in body:
            if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.module.values.setdefault(node.targets[0].id, node.value)
            elif isinstance(node, ast.If | ast.Try):
                dead = isinstance(node, ast.If) and answered(node.test) is False
                self.top_level([*node.orelse, *node.body] if dead else [*node.body, *node.orelse])
        for made in self.module.classes.values():
            bases = (base.value if isinstance(base, ast.Subscript) else base for base in made.node.bases)
            made.bases = [self.module.resolve(dotted_text(base)) or "?" for base in bases]


_SPECIAL: Final[dict[type[ast.AST], Callable[..., bool]]] = {
    ast.Call: _Indexer.call,
    ast.Assign: _Indexer.assigned,
    ast.FunctionDef: _Indexer.define,
    ast.AsyncFunctionDef: _Indexer.define,
    ast.ClassDef: _Indexer.classify,
    ast.If: _Indexer.branch,
    ast.Import: _Indexer.imported,
    ast.ImportFrom: _Indexer.imported_from,
    ast.Yield: _Indexer.yields,
    ast.YieldFrom: _Indexer.yields,
    ast.Raise: _Indexer.raising,
    ast.Return: _Indexer.returning,
}


def index(text: str, path: str, tree: ast.Module, place: tuple[str, str, bool]) -> Module:
    """A module with its tables filled."""
    root, name, package = place
    module = Module(path, root, name, text, tree, package)
    _Indexer(module).run()
    return module
