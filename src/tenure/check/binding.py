"""What a name, an attribute or an item holds once something has been assigned to it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from tenure.check.calls import Calls
from tenure.check.modules import dotted_text
from tenure.check.state import GIVEN, SELF, Path, Value, resources_in

__all__ = ["Binding"]


class Binding(Calls):
    """Assignments to every kind of target."""

    globals: set[str]

    def bind(self, target: ast.expr, value: Value, path: Path) -> None:
        if isinstance(target, ast.Name):
            self.bind_name(target.id, value, path)
        elif isinstance(target, ast.Tuple | ast.List):
            self.bind_each(target.elts, value, path)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, ("c", frozenset(resources_in(value))), path)
        elif isinstance(target, ast.Attribute):
            base = self.ev(target.value, path)
            if base == SELF:
                self.store(path, dotted_text(target.value), target.attr, value)
            else:
                self.keep(path, value)
        elif isinstance(target, ast.Subscript):
            self.bind_item(target, value, path)

    def bind_name(self, name: str, value: Value, path: Path) -> None:
        named = " " not in name
        if named and value is not None and value[0] == "r" and self.sites[value[1]].variable is None:
            self.sites[value[1]].variable = name
        if named and value is not None and value[0] == "c":
            for index in value[1]:
                self.sites[index].variable = self.sites[index].variable or name
        if name in self.globals or (named and isinstance(self.function.node, ast.Module)):
            self.keep(path, value)
        for text in (name, f"{name} is None"):
            if text in path.facts and name in self.function.parameters:
                path.facts.setdefault(GIVEN + text, path.facts[text])
        path.put(name, value if value is None or value[0] not in ("um", "a", "pm", "cm", "makes") else None)

    def bind_each(self, targets: Sequence[ast.expr], value: Value, path: Path) -> None:
        plain = not any(isinstance(target, ast.Starred) for target in targets)
        if value is not None and value[0] == "t" and plain and len(value[1]) == len(targets):
            for target, member in zip(targets, value[1], strict=True):
                self.bind(target, member, path)
            return
        held = frozenset(resources_in(value)) if value is not None and value[0] in ("t", "c") else frozenset()
        for target in targets:
            self.bind(target, ("c", held) if held else None, path)

    def bind_item(self, target: ast.Subscript, value: Value, path: Path) -> None:
        """The container has its keys as well as its values."""
        base = self.ev(target.value, path)
        key = self.ev(target.slice, path)
        held = frozenset((*resources_in(value), *resources_in(key)))
        if base is not None and base[0] == "c" and isinstance(target.value, ast.Name):
            path.put(target.value.id, ("c", base[1] | held))
        else:
            self.keep(path, value)
            self.keep(path, key)
