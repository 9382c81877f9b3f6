"""The files under check together: a module by its name, and what a dotted name stands for across them."""

from __future__ import annotations

import ast
import os.path
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tenure.check.indexing import index
from tenure.check.modules import Class, Function, Key, Module
from tenure.check.source import Unreadable, parse, read_text
from tenure.check.trace import Trace
from tenure.check.words import words

__all__ = ["Project", "module_file"]

#: More bases than this, and what lies behind them counts as out of sight.
MOST_BASES: Final = 60

#: Bases that own nothing and close nothing.
_TRANSPARENT_BASES: Final = words(
    "builtins.object builtins.Exception abc.ABC enum.Enum enum.IntEnum threading.Thread threading.local"
    " builtins.dict builtins.list contextlib.AbstractContextManager contextlib.ContextDecorator unittest.TestCase"
    " contextlib.AbstractAsyncContextManager multiprocessing.Process logging.Handler"
)


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

    def origin(self, root: str, dotted: str, depth: int = 0) -> str:
        """The name outside the project that a dotted name stands for, through re-exports; else the name as it is."""
        parts = dotted.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            module = self.module(root, ".".join(parts[:cut])) if depth <= 8 else None
            if module is not None:
                name, *rest = parts[cut:]
                self.trace.look(module.name, "name", name)
                known = name in module.functions or name in module.classes
                target = "" if known else module.imports.get(name, "")
                return self.origin(root, ".".join([target, *rest]), depth + 1) if target else dotted
        return dotted

    def value(self, module: Module, name: str) -> tuple[Module, ast.expr | None]:
        """What a name of a module is set to at its top level, or at that of the module it comes from, and where."""
        first, dot, rest = name.partition(".")
        if name in module.values or first not in module.imports:
            return module, module.values.get(name)
        home, _, known = self.origin(module.root, f"{module.imports[first]}{dot}{rest}").rpartition(".")
        found = self.module(module.root, home) if home else None
        if found is None:
            return module, None
        self.trace.look(found.name, "top")
        return found, found.values.get(known)

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
