"""What can happen to a resource on a path: opened, used, released, handed on, lost. Each is one small step."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tenure.check.flow import Node, TooLarge
from tenure.check.modules import Class, Function, Module
from tenure.check.openers import KINDS, MERE_BORROWERS, Kind, Opener
from tenure.check.project import Project
from tenure.check.state import KEPT, RETURNED, STORED, Error, Hold, Path, Site, Value, resources_in
from tenure.lifecycle import Event

__all__ = [
    "DORMANT",
    "HOLDS",
    "MEANT_TO_FAIL",
    "PERHAPS",
    "TAKEN",
    "UNLIKELY",
    "Effects",
    "Loss",
    "Misuse",
    "Stop",
    "Tables",
    "doubtful",
]

#: Another resource owns it now and closes it with itself.
TAKEN: Final = "taken"

#: That one has closed it.
GONE: Final = "gone"

DORMANT: Final = "dormant"

#: Under this name, which nobody can write, a path remembers that an exception of an unknown class was taken for one
#: that a handler is for.
PERHAPS: Final = "perhaps "
#: Under this one, that an exception was caught that is possible, not likely.
UNLIKELY: Final = "unlikely "
#: Under this one, that a method of the object has put something open into it.
HOLDS: Final = "self holds "
#: Names with this ending say that a ``with pytest.raises(...)`` is around.
MEANT_TO_FAIL: Final = " fails"

#: How many outcomes of one statement are followed.
MOST_CHOICES: Final = 24
#: More places than this that open something in one function: it is a table in the shape of a program.
MOST_SITES: Final = 500


class Stop(Exception):
    """The path ends here: the process exits."""


@dataclass(frozen=True)
class Tables:
    """The tables in force, a project's own openers included."""

    openers: dict[str, Opener]
    kinds: dict[str, Kind]


@dataclass(frozen=True, slots=True)
class Loss:
    """A resource that nobody can close any more."""

    site: Site
    how: str  #: "exit", "temporary", "rebound", "error", "init", "generator"
    level: int
    line: int
    item: int  #: where in the walk it happened
    hold: Hold
    error: str = ""  #: the class of the exception, where it is known


@dataclass(frozen=True, slots=True)
class Misuse:
    """Something done to a resource that it no longer allows."""

    rule: str
    site: Site
    node: ast.AST
    item: int
    word: str  #: the method or function that was used


@dataclass(slots=True)
class _Choices:
    """Replays a statement once for every combination of the choices it asks for."""

    script: list[list[int]] = field(default_factory=list)
    at: int = 0
    runs: int = 0

    def choose(self, width: int) -> int:
        if self.at == len(self.script):
            self.script.append([0, width])
        self.at += 1
        return self.script[self.at - 1][0]

    def advance(self) -> bool:
        """Move to the next combination; false when there is none."""
        self.at = 0
        self.runs += 1
        while self.script and self.script[-1][0] + 1 >= self.script[-1][1]:
            self.script.pop()
        if not self.script or self.runs >= MOST_CHOICES:
            return False
        self.script[-1][0] += 1
        return True


class Effects:
    """The resources of one function and what befalls them."""

    def __init__(self, function: Function, project: Project, tables: Tables) -> None:
        self.function = function
        self.module: Module = function.module
        self.project = project
        self.tables = tables
        self.sites: list[Site] = []
        self.site_index: dict[tuple[int, object], int] = {}
        self.losses: list[Loss] = []
        self.misuses: list[Misuse] = []
        self.fates: dict[int, set[str]] = {}
        self.stored: dict[str, list[Site]] = {}  #: attribute of ``self`` -> what was stored in it
        self.self_name = ""
        self.takers: dict[int, int] = {}  #: a descriptor -> the file that owns it
        self.called: dict[str, set[str]] = {}  #: parameter -> the methods that are called on it
        self.given: dict[str, set[str]] = {}  #: parameter -> the attributes of ``self`` it may end up in
        self.item = 0
        self.node: Node | None = None
        self.statement: ast.stmt | ast.withitem | None = None
        self.raised: list[tuple[Path, str, int]] = []
        self.choices = _Choices()

    # -- opening -------------------------------------------------------------------------------------------------

    def site(self, node: ast.AST, part: object, kind_name: str, called: str, cls: Class | None = None) -> Site:
        """The site of an opening call; one for each member of what it returns."""
        key = (id(node), part)
        if key not in self.site_index:
            if len(self.site_index) >= MOST_SITES:
                raise TooLarge(f"more than {MOST_SITES} places that open something")
            kind = self.tables.kinds[kind_name] if cls is None else KINDS["closable"]
            line, shown = getattr(node, "lineno", 0), called.removeprefix("builtins.")
            made = Site(len(self.sites), node, kind, kind_name, line, cls=cls, called=shown)
            made.statement = self.statement
            self.site_index[key] = made.index
            self.sites.append(made)
            self.fates[made.index] = set()
        return self.sites[self.site_index[key]]

    def open(self, path: Path, site: Site, pipes: frozenset[str] = frozenset()) -> Value:
        """A resource begins its life; an older one from the same place (a loop) goes on under another number."""
        old = path.held.get(site.index)
        if old is not None and old.open and not old.note:
            self.age(path, site)
        site.late = self.is_cleaning(path)
        site.meant_to_fail = any(name.endswith(MEANT_TO_FAIL) for name in path.env)
        path.held[site.index] = Hold(parts=pipes, note=DORMANT if site.kind.dormant else "")
        return ("r", site.index)

    def age(self, path: Path, site: Site) -> None:
        older = self.site(site.node, ("older", site.index), site.kind_name, site.called, site.cls)
        older.kind, older.variable = site.kind, site.variable
        path.held[older.index] = path.held.pop(site.index)
        for name, value in list(path.env.items()):
            if site.index in resources_in(value):
                path.env[name] = _renumbered(value, site.index, older.index)

    # -- the events of a life --------------------------------------------------------------------------------------

    def release(self, path: Path, index: int, node: ast.AST, word: str, strict: bool | None = None) -> None:
        """Somebody closes it; ``strict`` says whether it is an error to do so twice, its kind where nobody says."""
        hold, site = path.held.get(index), self.sites[index]
        if hold is None:
            return
        strict = site.kind.twice if strict is None else strict
        if hold.note in (TAKEN, GONE) and strict:
            self.misuses.append(Misuse("wrong-closer", site, node, self.item, word))
        elif hold.released and strict:
            self.misuses.append(Misuse("closed-twice", site, node, self.item, word))
        self.fates[index].add("released on error" if path.error is not None else "released")
        path.held[index] = Hold(hold.after(Event.CLOSE).state)
        for other, held in list(path.held.items()):
            if self.takers.get(other) == index and held.note == TAKEN:
                path.held[other] = Hold(held.state, note=GONE)
            through = self.sites[other].parent == index and self.sites[other].kind.bound
            if held.open and (through or index in self.sites[other].adopted):
                path.held[other] = Hold(held.after(Event.CLOSE).state)

    def release_pipe(self, path: Path, index: int, pipe: str) -> None:
        hold = path.held.get(index)
        if hold is not None and hold.open:
            rest = hold.parts - {pipe}
            path.held[index] = Hold(hold.state, rest, hold.note)
            if rest == {"ended"}:
                self.release(path, index, self.sites[index].node, "close")

    def end_process(self, path: Path, index: int, node: ast.AST, word: str) -> None:
        """The process is over; its pipes stay open until each is closed."""
        hold = path.held.get(index)
        if hold is None or not hold.open:
            return
        if hold.parts - {"ended"}:
            path.held[index] = Hold(hold.state, hold.parts | {"ended"}, hold.note)
        else:
            self.release(path, index, node, word)

    def keep(self, path: Path, value: Value, note: str = KEPT) -> None:
        """Somebody else owns it from now on."""
        for index in resources_in(value):
            hold = path.held.get(index)
            notes = ("", DORMANT) if note == RETURNED else ("", DORMANT, STORED)
            if hold is not None and hold.open and hold.note in notes:
                path.held[index] = hold.after(Event.DISOWN, note)
                self.fates[index].add("kept" if path.error is None else "kept on error")

    def store(self, path: Path, name: str, attribute: str, value: Value) -> None:
        """``self.attribute = value``."""
        key = f"{name}.{attribute}"
        path.put(key, None)
        if value is None or value[0] not in ("r", "k", "t", "o"):
            reads = value is not None and value[0] in ("d", "m")
            if not reads or not all(self.is_here(path, i) for i in resources_in(value)):
                self.keep(path, value)
            elif value is not None and value[0] == "m" and value[2] in MERE_BORROWERS:
                self.keep(path, value, f"self.{attribute}")  # ``self.write = out.write``
            # Else it reads through what is the caller's, or the object's already, which takes nothing from them.
            return
        if value[0] == "t":
            self.keep(path, value)
        if value[0] == "r":
            self.store_resource(path, attribute, value[1])
        path.put(key, value if value[0] != "t" else None)

    def is_here(self, path: Path, index: int) -> bool:
        """Whether another attribute holds it, or the caller does."""
        hold = path.held.get(index)
        return self.sites[index].borrowed or (hold is not None and hold.note == STORED)

    def store_resource(self, path: Path, attribute: str, index: int) -> None:
        hold, site = path.held.get(index), self.sites[index]
        if hold is None or not hold.open:
            return
        if site.borrowed:
            self.given.setdefault(site.parameter, set()).add(attribute)
            self.keep(path, ("r", index), f"self.{attribute}")
            return
        path.held[index] = Hold(hold.state, hold.parts, hold.note or STORED)
        if site.kind.weak:
            return
        site.attribute = attribute
        self.fates[index].add("stored")
        known = self.stored.setdefault(attribute, [])
        if site not in known:
            known.append(site)

    def wake(self, path: Path, index: int) -> None:
        """Something was put into a stack, so now it must be closed."""
        hold = path.held.get(index)
        if hold is not None and hold.note == DORMANT:
            path.held[index] = Hold(hold.state, note=STORED if self.sites[index].attribute else "")

    def touch(self, path: Path, index: int) -> None:
        """What connects when it is needed is needed now."""
        if self.sites[index].kind.lazy:
            path.env[_used(index)] = ("used",)

    def use(self, path: Path, index: int, node: ast.AST, word: str) -> None:
        """It is read, written, asked."""
        hold, site = path.held.get(index), self.sites[index]
        if hold is None or not (hold.released or hold.note == GONE) or site.borrowed:
            return
        if site.kind.any_after and not (site.cls is not None and self.needs_open(site.cls, word)):
            return
        if word in site.kind.after or word in site.kind.closers:
            return
        self.misuses.append(Misuse("used-after-close", site, node, self.item, word))

    def needs_open(self, cls: Class, method: str) -> bool:
        """Whether a method of a class of the project works on what the class has closed."""
        return False

    # -- exceptions ------------------------------------------------------------------------------------------------

    def may_raise(self, path: Path, level: int, kind: str, node: ast.AST, word: str, far: bool | None = None) -> None:
        """An exception may leave from here; the path as it stands goes on along the exception edge."""
        if level and self.node is not None:
            copy = path.copy()
            copy.error = Error(kind, level, self.is_cleaning(path) if far is None else far)
            self.raised.append((copy, word, getattr(node, "lineno", 0)))

    def is_cleaning(self, path: Path) -> bool:
        """Whether this is a ``finally``, or a handler that has an exception to deal with."""
        return path.error is not None or (self.node is not None and self.node.cleaning)

    # -- losing ----------------------------------------------------------------------------------------------------

    def owed(self, path: Path) -> Iterable[int]:
        """What this function still has to close."""
        return [i for i, hold in path.held.items() if self.is_owed(i, hold)]

    def is_owed(self, index: int, hold: Hold) -> bool:
        site = self.sites[index]
        return hold.open and not hold.note and not site.borrowed and not site.kind.weak

    def sweep(self, path: Path, line: int, error: Error | None = None) -> None:
        """Nobody knows it by any name any more: it is lost."""
        owed = self.owed(path)
        if not owed:
            return
        reachable = path.referenced()
        for index in owed:
            if index not in reachable:
                site = self.sites[index]
                how = "temporary" if site.variable is None else "rebound"
                if error is not None:
                    how = "generator" if error.type == "builtins.GeneratorExit" else "error"
                self.lose(path, index, how, error or Error("", 1 if doubtful(path) else 3), line)

    def lose(self, path: Path, index: int, how: str, error: Error, line: int) -> None:
        hold, site = path.held[index], self.sites[index]
        level = 1 if self.is_harmless(path, site, how, error) else error.level
        self.losses.append(Loss(site, how, level, line, self.item, hold, error.type))
        path.held[index] = hold.after(Event.ABANDON)

    def is_harmless(self, path: Path, site: Site, how: str, error: Error) -> bool:
        """Whether a loss is one that hardly happens, or hardly matters when it does."""
        if site.meant_to_fail and how in ("temporary", "rebound", "exit"):
            return True  # under ``pytest.raises``: it was not opened at all
        if UNLIKELY in path.env and how in ("error", "init", "generator"):
            return True  # something that hardly happens came before
        if site.kind.lazy and error.level == 2 and _used(site.index) not in path.env:
            return True  # it has connected to nothing yet
        return error.far and not site.late  # clean-up that fails as well: two things at once


def _used(index: int) -> str:
    """Under this name a path remembers that a resource was put to use."""
    return f"{index} used"


def doubtful(path: Path) -> bool:
    """Whether the path rests on an exception that may well never come."""
    return PERHAPS in path.env or UNLIKELY in path.env


def _renumbered(value: Value, old: int, new: int) -> Value:
    if value is None:
        return None
    tag = value[0]
    if tag in ("r", "m", "p", "w", "pm"):
        return (tag, new, *value[2:]) if value[1] == old else value
    if tag == "h":
        attached = frozenset((a, new if i == old else i) for a, i in value[3])
        return ("h", frozenset(i for _, i in attached), value[2], attached)
    if tag in ("c", "d", "f", "cm"):
        return (tag, frozenset(new if i == old else i for i in value[1]), *value[2:])
    if tag == "t":
        return ("t", tuple(_renumbered(member, old, new) for member in value[1]))
    return value
