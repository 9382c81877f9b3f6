"""What a module looks like from outside, part by part: who looked at a part has nothing to learn while it stays so.

Each part has a short text which changes whenever anybody who looks at that part may see something else. Line numbers
are in none of them: a function that has moved is the same function.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Final

from tenure.check.lines import split
from tenure.check.modules import Class, Module
from tenure.check.openers import Kind
from tenure.check.project import module_file
from tenure.check.summaries import Outcome, Summaries, Summary
from tenure.check.trace import EVERYBODY, Look

__all__ = ["Faces", "digest", "kind_of_file"]

#: The face of what is not there.
_NOTHING: Final = ""


def digest(raw: bytes) -> str:
    """A short name for a content."""
    return hashlib.blake2b(raw, digest_size=12).hexdigest()


def kind_of_file(path: str) -> str:
    """The face of a module as far as it has been looked for only."""
    return "package" if path.endswith("__init__.py") else "module" if path else _NOTHING


class Faces:
    """The faces of one state of a project below one root."""

    def __init__(self, summaries: Summaries, root: str) -> None:
        self.summaries = summaries
        self.root = root
        self.sources: dict[Module, _Source] = {}
        self.known: dict[Look, str] = {}

    def of(self, look: Look) -> str:
        """The face of what somebody looked at."""
        if look not in self.known:
            self.known[look] = self._made(*look)
        return self.known[look]

    def _made(self, name: str, kind: str, part: str) -> str:
        overview = self.summaries.overview
        if name == EVERYBODY:
            answer = (
                overview.only_bearer(self.root, part)
                if kind == "factory"
                else overview.somebody_closes(part, self.root)
            )
            return str(answer)
        if kind == "file":
            return kind_of_file(module_file(self.root, name))
        module = self.summaries.project.module(self.root, name)
        if module is None:
            return _NOTHING
        before = self.summaries.project.trace.turn(module)
        face = _PARTS[kind](self, self.source(module), part)
        self.summaries.project.trace.turn(before)
        return face

    def source(self, module: Module) -> _Source:
        if module not in self.sources:
            self.sources[module] = _Source(module)
        return self.sources[module]

    def name(self, source: _Source, part: str) -> str:
        """What a name of the module leads to."""
        first = part.partition(".")[0]
        for kind, names in (("function", source.module.functions), ("class", source.module.classes)):
            if part in names or (first in names and kind == "class"):
                return kind
        return source.module.imports.get(first, _NOTHING)

    def top(self, source: _Source, part: str) -> str:
        """What the names of the module's top level stand for."""
        return source.top

    def function(self, source: _Source, part: str) -> str:
        found = source.module.functions.get(part)
        return digest(f"{source.top}\n{source.text(found.node)}".encode()) if found is not None else _NOTHING

    def gist(self, source: _Source, part: str) -> str:
        """What a function does when it is given no resource."""
        return self._summary(source, part, False)

    def summary(self, source: _Source, part: str) -> str:
        """What a function does with resources it is given."""
        return self._summary(source, part, True)

    def _summary(self, source: _Source, part: str, needed: bool) -> str:
        found = source.module.functions.get(part)
        if found is None:
            return _NOTHING
        summary = self.summaries.of(found, needed)
        walk = self.summaries.walks.get(found)
        given = [_in_order(walk.given), _in_order(walk.called)] if walk is not None else None
        return digest(repr((self.function(source, part), _told(summary), given)).encode())

    def classified(self, source: _Source, part: str) -> str:
        """A class, those it inherits from, and what all this makes of it."""
        found = source.module.classes.get(part)
        if found is None:
            return _NOTHING
        classes = self.summaries.classes
        line = [self._outside(cls) for cls in self.summaries.project.lineage(found)]
        owned = (classes.owns(found), _shown(classes.kind(found)))
        return digest(repr((line, owned)).encode())

    def _outside(self, cls: Class | None) -> object:
        if cls is None:
            return None
        source = self.source(cls.module)
        stored = self.summaries.classes.stored_in(cls)
        sites = {attribute: sorted(_shown(site.kind) for _, site in found) for attribute, found in stored.items()}
        relevant = sorted(name for name, method in cls.methods.items() if self.summaries.relevant(method))
        return cls.dotted, source.top, source.text(cls.node), sorted(sites.items()), relevant


_PARTS: Final[dict[str, Callable[[Faces, _Source, str], str]]] = {
    "name": Faces.name,
    "top": Faces.top,
    "function": Faces.function,
    "gist": Faces.gist,
    "summary": Faces.summary,
    "class": Faces.classified,
}


class _Source:
    """A module's text, cut into pieces."""

    def __init__(self, module: Module) -> None:
        self.module = module

    @cached_property
    def lines(self) -> list[str]:
        return split(self.module.text)

    def text(self, node: ast.AST) -> str:
        """The lines of a piece, decorators included; of a whole module, all of them."""
        if isinstance(node, ast.Module):
            return self.module.text
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])  # type: ignore[attr-defined]
        return "".join(self.lines[first - 1 : node.end_lineno])  # type: ignore[attr-defined]

    @cached_property
    def top(self) -> str:
        """What the names of the module's top level stand for, as far as every function in it may depend on it."""
        values = [(name, self.text(value)) for name, value in self.module.values.items()]
        return digest(repr((sorted(self.module.imports.items()), values)).encode())


def _told(summary: Summary | None) -> object:
    return None if summary is None else [sorted(map(_outcome, side)) for side in (summary.normal, summary.raising)]


def _in_order(sets: dict[str, set[str]]) -> list[tuple[str, list[str]]]:
    return [(name, sorted(members)) for name, members in sorted(sets.items())]


def _outcome(outcome: Outcome) -> str:
    return repr((outcome.facts, outcome.effects, _result(outcome.result), outcome.holds))


def _result(value: object) -> object:
    """A result without identities: classes by name, sets in order."""
    if isinstance(value, tuple):
        return tuple(map(_result, value))
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return value.dotted if isinstance(value, Class) else value


def _shown(kind: Kind) -> str:
    return repr([_result(getattr(kind, field.name)) for field in dataclasses.fields(kind)])
