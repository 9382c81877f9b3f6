"""What is known of a project by bare name: who hands out something to close, and who closes which attribute."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tenure.check.modules import Function, Module
from tenure.check.openers import CLOSER_NAMES
from tenure.check.trace import EVERYBODY

if TYPE_CHECKING:
    from tenure.check.summaries import Summaries

__all__ = ["Bystander", "Outline", "Overview"]

#: How often names of new factories are followed to their callers.
_MOST_ROUNDS: Final = 6
_SOMEBODY_CLOSES: Final = r"(\w*)\.{attribute}\s*\.\s*(?:{closers})\b"


@dataclass(frozen=True, slots=True)
class Outline:
    """What a module says to everybody."""

    opens: tuple[str, ...]  #: names of its factories and owning classes
    methods: tuple[str, ...]  #: those of its methods, as ``Class.method``, that have the name of some factory


@dataclass(frozen=True, slots=True)
class Bystander:
    """A module that need not be read: what it says to everybody is known from an earlier run."""

    root: str
    name: str
    asked: bool  #: it is one of the files under check
    imports: tuple[str, ...]  #: the modules of the project it takes names from
    outline: Outline
    text: Callable[[], str]


class Overview:
    """Asked by name, whoever it is that bears it."""

    def __init__(self, summaries: Summaries) -> None:
        self.summaries = summaries
        self.trace = summaries.project.trace
        self.learned: set[str] = set()  #: names of the project's own factories and owning classes
        self.opened: dict[Module, set[str]] = {}  #: the same, by the module they are from
        self.bystanders: Sequence[Bystander] = ()
        self.closed: dict[tuple[str, str], bool] = {}  #: what was asked of somebody_closes, and the answer
        self.bearers: dict[tuple[str, str], list[tuple[str, str]]] | None = None  #: root, method -> module, qualname

    def learn(self, modules: Iterable[Module], bystanders: Sequence[Bystander] = ()) -> None:
        """Follow factories and owning classes to those who call them, by name, until no new name turns up."""
        self.bystanders = bystanders
        self.closed.clear()
        self.opened = {module: set() for module in modules}
        self.learned = {name for bystander in bystanders for name in bystander.outline.opens}
        for _ in range(_MOST_ROUNDS):
            for module, names in self.opened.items():
                names.update(self.openers_in(module))
            new = set().union(*self.opened.values()) - self.learned
            if not new:
                return
            self.summaries.forget_callers(new)
            self.learned |= new
            self.bearers = None

    def openers_in(self, module: Module) -> Iterator[str]:
        """Names by which a caller of this module may get something to close."""
        before = self.trace.turn(module)
        for function in module.functions.values():
            if function.returns and self.summaries.relevant(function) and not function.name.startswith("__"):
                summary = self.summaries.of(function, False)
                if summary is not None and summary.opens:
                    yield function.name
        for cls in module.classes.values():
            if self.summaries.classes.owns(cls):
                yield cls.node.name
                yield "cls"
        self.trace.turn(before)

    def outline(self, module: Module) -> Outline | None:
        """What a module says, for those who will not read it; ``None`` if it was not asked."""
        if module not in self.opened:
            return None
        return Outline(tuple(sorted(self.opened[module])), tuple(sorted(self._methods_of(module))))

    def only_factory(self, name: str, asker: Module) -> Function | None:
        """The method that ``x.name()`` calls whatever ``x`` is, when one class only has it and it opens something."""
        if "_" not in name.strip("_") or name not in self.learned:
            return None
        self.trace.look(EVERYBODY, "factory", name)
        where, qualname = self.only_bearer(asker.root, name)
        module = self.summaries.project.module(asker.root, where) if where else None
        found = module.functions.get(qualname) if module is not None else None
        if found is not None:
            self.trace.look(where, "function", qualname)
        return found

    def only_bearer(self, root: str, name: str) -> tuple[str, str]:
        """The module and the method of that name, if there is one only; empty if not."""
        if self.bearers is None:
            self.bearers = {}
            for other_root, module_name, qualname in self._all_methods():
                key = other_root, qualname.rpartition(".")[2]
                self.bearers.setdefault(key, []).append((module_name, qualname))
        found = self.bearers.get((root, name), [])
        return found[0] if len(found) == 1 else ("", "")

    def _all_methods(self) -> Iterator[tuple[str, str, str]]:
        for module in self.opened:
            yield from ((module.root, module.name, qualname) for qualname in self._methods_of(module))
        for other in self.bystanders:
            yield from ((other.root, other.name, qualname) for qualname in other.outline.methods)

    def _methods_of(self, module: Module) -> Iterator[str]:
        for cls in module.classes.values():
            yield from (f"{cls.qualname}.{name}" for name in cls.methods if name in self.learned)

    def somebody_closes(self, part: str, root: str = "") -> bool:
        """Whether any module says ``x.attribute.close`` of what may be a ``Class``, for ``Class.attribute``.

        In ``self.attribute.close`` the object is of the class that says so, or of one that inherits from it: such a
        module counts only if it has heard of the class. What is asked below ``root`` is not answered by another copy of
        a module that is there as well.
        """
        self.trace.look(EVERYBODY, "closed", part)
        if (part, root) not in self.closed:
            self.closed[part, root] = self._is_closed(part, root)
        return self.closed[part, root]

    def _is_closed(self, part: str, root: str) -> bool:
        name, _, attribute = part.rpartition(".")
        closers = "|".join(map(re.escape, sorted(CLOSER_NAMES)))
        pattern = re.compile(_SOMEBODY_CLOSES.format(attribute=re.escape(attribute), closers=closers))
        named = re.compile(rf"(?<!class )\b{re.escape(name)}\b")  # a class of its own by that name is another one
        return any(
            match[1] not in ("self", "cls") or named.search(text) is not None
            for text in self._texts(root)
            if f".{attribute}" in text
            for match in pattern.finditer(text)
        )

    def _texts(self, root: str) -> Iterator[str]:
        here = {m.name for m in self.opened if m.root == root} | {b.name for b in self.bystanders if b.root == root}
        yield from (module.text for module in self.opened if module.root == root or module.name not in here)
        yield from (other.text() for other in self.bystanders if other.root == root or other.name not in here)
