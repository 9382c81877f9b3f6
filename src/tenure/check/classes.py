"""What the classes of a project own: which attributes hold a resource, and which of their methods close it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tenure.check.attributes import ClassFacts, always_called, read
from tenure.check.modules import Class, Function, dotted_text
from tenure.check.openers import CLOSER_NAMES, KINDS, Kind
from tenure.check.project import Project
from tenure.check.state import Site
from tenure.check.words import words

if TYPE_CHECKING:
    from tenure.check.summaries import Summaries

__all__ = ["Classes"]

#: A method of one of these names is where a class is expected to close what it owns.
ENDINGS: Final = words(
    "close aclose __exit__ __aexit__ __del__ stop shutdown disconnect release terminate cleanup quit dispose"
    " finish free destroy end teardown tearDown"
)


_CLOSING: Final = ENDINGS | CLOSER_NAMES

#: Methods of self that are followed one through the other.
_DEEPEST: Final = 3


class Classes:
    """Facts about classes, gathered when somebody asks."""

    def __init__(self, project: Project, summaries: Summaries) -> None:
        self.project = project
        self.summaries = summaries
        self.known: dict[Class, ClassFacts] = {}
        self.owners: dict[Class, bool] = {}
        self.kinds: dict[Class, Kind] = {}

    def forget(self) -> None:
        """New factories are known: a class that seemed to own nothing may own something."""
        self.owners = {cls: owns for cls, owns in self.owners.items() if owns}

    def facts(self, cls: Class) -> ClassFacts:
        """What the class's own methods do with its attributes."""
        self.project.look_at(cls)
        if cls not in self.known:
            facts = self.known[cls] = ClassFacts(dynamic="__getattr__" in cls.methods)
            read(cls.methods.values(), facts)
        return self.known[cls]

    def stored_in(self, cls: Class) -> dict[str, list[tuple[Function, Site]]]:
        """Attributes that its methods put an open resource into."""
        self.project.look_at(cls)
        found: dict[str, list[tuple[Function, Site]]] = {}
        for method in cls.methods.values():
            if not self.summaries.relevant(method):
                continue
            self.summaries.of(method, True)
            walk = self.summaries.walks.get(method)
            if walk is None and method not in self.summaries.walks and method not in self.summaries.underway:
                walk = self.summaries.walk(method)
            for attribute, sites in (walk.stored if walk is not None else {}).items():
                found.setdefault(attribute, []).extend((method, site) for site in sites)
        return found

    def made_in(self, cls: Class) -> Iterator[tuple[str, Function, Site]]:
        """Attributes that a base fills with whatever a method makes, where this class has a method that opens."""
        bases = (current for current in self.project.lineage(cls) if current is not None and current is not cls)
        for attribute, makers in [pair for base in bases for pair in self.facts(base).made_by.items()]:
            for method in (cls.methods[name] for name in sorted(makers) if name in cls.methods):
                summary = self.summaries.of(method, False)
                walk = self.summaries.walks.get(method) if summary is not None and summary.opens else None
                if walk is not None:
                    yield from ((attribute, method, site) for site in walk.sites if site.index in walk.handed_out())

    def may_close(self, cls: Class, attribute: str) -> bool:
        """Whether any method in sight, or one out of sight, may close the attribute."""
        for current in self.project.lineage(cls):
            if current is None:
                return True
            facts = self.facts(current)
            if facts.dynamic or attribute in facts.closed:
                return True
        return False

    def closes(self, cls: Class, attribute: str) -> bool:
        """Whether one of the class's own methods may close the attribute."""
        facts = self.facts(cls)
        return facts.dynamic or attribute in facts.closed

    def sealed(self, cls: Class) -> bool:
        """Whether nothing about the class is decided by a base nobody here can see."""
        return all(current is not None for current in self.project.lineage(cls))

    def method_closes(self, cls: Class, name: str, attribute: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a method closes the attribute, by itself or through other methods of the object."""
        if name in seen:
            return False
        for current in self.project.lineage(cls):
            if current is None or name not in current.methods:
                continue
            facts = self.facts(current)
            if name in facts.closed.get(attribute, ()):
                return True
            called = facts.calls.get(name, set()) - {name}
            if any(self.method_closes(cls, other, attribute, seen | {name}) for other in called):
                return True
        return False

    def closing_methods(self, cls: Class) -> frozenset[str]:
        """Methods that close some attribute, by themselves or through another method."""
        closing: set[str] = set()
        calls: dict[str, set[str]] = {}
        for current in self.project.lineage(cls):
            if current is None:
                continue
            facts = self.facts(current)
            for methods in facts.closed.values():
                closing |= methods
            for name, called in facts.calls.items():
                calls.setdefault(name, set()).update(called)
        while True:
            more = {name for name, called in calls.items() if called & closing} - closing
            if not more:
                return frozenset(closing & ENDINGS | (more & ENDINGS)) | (closing & CLOSER_NAMES)
            closing |= more

    def kind_of_attribute(self, cls: Class, attribute: str) -> str:
        """The kind of resource an attribute holds whenever it holds anything, as the text of the class tells."""
        kinds: set[str] = set()
        for current in self.project.lineage(cls):
            if current is None:
                return ""
            facts = self.facts(current)
            if facts.dynamic:
                return ""
            openers = (self.summaries.tables.openers.get(name) for name in facts.openers.get(attribute, ()))
            kinds |= {opener.kind if opener is not None and not opener.only_if else "" for opener in openers}
        return kinds.pop() if len(kinds) == 1 else ""

    def ends(self, cls: Class, name: str, depth: int = 0) -> frozenset[str]:
        """The attributes a method closes whatever happens, as the text of its first level tells."""
        method = self.project.method(cls, name)
        if method is None or not method.parameters or "builtins.staticmethod" in method.decorators():
            return frozenset()
        ended: set[str] = set()
        for call in always_called(method.node.body):
            owner, *rest = dotted_text(call.func).split(".")
            if owner != method.parameters[0]:
                continue
            if len(rest) == 2 and rest[1] in CLOSER_NAMES:
                ended.add(rest[0])
            elif len(rest) == 1 and depth < _DEEPEST and rest[0] != name:
                ended |= self.ends(cls, rest[0], depth + 1)
        return frozenset(a for a in ended if name not in self.binders(cls, a))

    def binders(self, cls: Class, attribute: str) -> set[str]:
        """The methods that may bind an attribute, by themselves or through others."""
        lineage = [self.facts(current) for current in self.project.lineage(cls) if current is not None]
        found = {name for facts in lineage for name in facts.set_by.get(attribute, ())}
        while True:
            more = {name for facts in lineage for name, called in facts.calls.items() if called & found} - found
            if not more:
                return found
            found |= more

    def closes_and_uses(self, method: Function) -> bool:
        """Whether a method closes an attribute and speaks to it, in whichever order."""
        owner = method.owner
        if owner is None or not any(text.rpartition(".")[2] in CLOSER_NAMES for text in method.calls):
            return False
        own = method.parameters[:1]
        closed: set[str] = set()
        used: set[str] = set()
        for text in method.calls:
            first, *rest = text.split(".")
            if [first] != own:
                continue
            if len(rest) == 2:
                (closed if rest[1] in CLOSER_NAMES else used).add(rest[0])
            elif len(rest) == 1 and rest[0] in CLOSER_NAMES:
                closed |= self.ends(owner, rest[0])
        return any(self.kind_of_attribute(owner, attribute) for attribute in closed & used)

    def closes_itself(self, cls: Class) -> bool:
        """Whether it closes itself in the course of its work, as a stream does when the other end hangs up."""
        endings = self.closing_methods(cls)
        return any(
            called & endings and name not in ENDINGS and not name.startswith("__")
            for current in self.project.lineage(cls)
            if current is not None
            for name, called in self.facts(current).calls.items()
        )

    def needs_open(self, cls: Class, name: str) -> bool:
        """Whether a method begins, before it asks anything, with a use of an attribute that closing has closed."""
        method = self.project.method(cls, name)
        if method is None or method.owner is None or name in self.closing_methods(cls):
            return False
        own = method.parameters[:1]
        for statement in method.node.body:
            if not isinstance(statement, ast.Expr | ast.Assign | ast.Return):
                return False
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    owner, _, attribute = dotted_text(node.func.value).partition(".")
                    if [owner] == own and self.is_strict(method.owner, attribute, node.func.attr):
                        return True
        return False

    def is_strict(self, cls: Class, attribute: str, word: str) -> bool:
        """Whether ``self.attribute.word()`` is an error once the attribute, which the class closes, is closed."""
        if attribute not in self.facts(cls).closed:
            return False
        kinds = [site.kind for _, site in self.stored_in(cls).get(attribute, ())]
        return bool(kinds) and not any(k.any_after or word in k.after or word in k.closers for k in kinds)

    def opens_as(self, cls: Class) -> str:
        """The kind of resource it is by inheritance: ``class Store(sqlite3.Connection)``."""
        for current in self.project.lineage(cls):
            for base in current.bases if current is not None else ():
                opener = self.summaries.tables.openers.get(base)
                if opener is not None and opener.kind and not (opener.wraps or opener.only_if or opener.over):
                    kind = self.summaries.tables.kinds[opener.kind]
                    return "" if kind.weak or kind.dormant else opener.kind
        return ""

    def owns(self, cls: Class) -> bool:
        """Whether making one leaves something to close: ``__init__`` stores a resource and a method closes it."""
        self.project.look_at(cls)
        if cls not in self.owners:
            before = self.project.trace.turn(cls.module)
            self.owners[cls] = False
            self.owners[cls] = self._owns(cls)
            self.project.trace.turn(before)
        return self.owners[cls]

    def may_own(self, cls: Class) -> bool:
        """Whether it owns something, asked only where a method's name says that there is something to close."""
        lineage = (current for current in self.project.lineage(cls) if current is not None)
        return any(not _CLOSING.isdisjoint(current.methods) for current in lineage) and self.owns(cls)

    def _owns(self, cls: Class) -> bool:
        if self.opens_as(cls):
            return True
        init = self.project.method(cls, "__init__")
        if init is None or init.owner is None:
            return False
        if not any(self.summaries.relevant(method) for method in init.owner.methods.values()):
            return False
        building = self.reached(init.owner, "__init__")
        held = [a for a, sites in self.stored_in(init.owner).items() if any(f.name in building for f, _ in sites)]
        endings = self.closing_methods(cls)
        return any(self.closes_somewhere(cls, attribute) for attribute in held) and bool(endings)

    def told_by_init(self, cls: Class) -> bool:
        """Whether ``__init__``, by itself or by a method it calls, puts into the object what the object closes."""
        init = self.project.method(cls, "__init__")
        if init is None or init.owner is None:
            return False
        near = {"__init__", *self.facts(init.owner).calls.get("__init__", ())}
        building = self.reached(init.owner, "__init__")
        stored = [f for sites in self.stored_in(init.owner).values() for f, _ in sites if f.name in building]
        return all(function.name in near for function in stored)

    def reaching(self, cls: Class, names: frozenset[str]) -> frozenset[str]:
        """The methods that run through one of these."""
        near = [self.facts(current) for current in self.project.lineage(cls) if current is not None]
        return frozenset(name for facts in near for name in facts.calls if self.reached(cls, name) & names)

    def reached(self, cls: Class, name: str) -> set[str]:
        """The methods that a method runs through: itself, those it calls, and so on."""
        calls = self.facts(cls).calls
        found: set[str] = set()
        frontier = {name}
        while frontier:
            found |= frontier
            frontier = {other for method in frontier for other in calls.get(method, ())} - found
        return found

    def closes_somewhere(self, cls: Class, attribute: str) -> bool:
        """Whether a method of the class, or of a base, may close the attribute."""
        return any(c is not None and attribute in self.facts(c).closed for c in self.project.lineage(cls))

    def kind(self, cls: Class) -> Kind:
        """How instances of the class are closed."""
        self.project.look_at(cls)
        if cls not in self.kinds:
            before = self.project.trace.turn(cls.module)
            endings = self.closing_methods(cls)
            managed = self.project.method(cls, "__exit__") or self.project.method(cls, "__aexit__")
            first = next((n for n in ("close", "aclose", *sorted(endings)) if n in endings), "close")
            inherited = self.opens_as(cls)
            known = KINDS[inherited or "closable"]
            if inherited:
                endings |= self.reaching(cls, known.closers)
            self.kinds[cls] = Kind(
                cls.qualname,
                known.closers | endings,
                close=f"{{}}.{first}()",
                managed=managed is not None or not self.sealed(cls),  # a base out of sight may know how
                any_after=True,
            )
            self.project.trace.turn(before)
        return self.kinds[cls]
