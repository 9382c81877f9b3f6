"""What each function does with what it is given and what it hands out, worked out when a caller asks."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from tenure.check.classes import Classes
from tenure.check.effects import HOLDS, Tables
from tenure.check.enacting import defaults_of
from tenure.check.flow import ESCAPED, TooLarge
from tenure.check.modules import Function, Module
from tenure.check.openers import FUNCTION_CLOSERS, Opener, is_stdlib
from tenure.check.overview import Overview
from tenure.check.project import Project
from tenure.check.risk import risk_of_function
from tenure.check.state import GIVEN, STORED, Hold, Path, Value, resources_in
from tenure.check.walk import Walk
from tenure.check.words import words

__all__ = ["Outcome", "Summaries", "Summary", "summarise"]

#: Decorators that leave a function's dealings with its arguments as they are.
_TRANSPARENT: Final = words(
    "builtins.staticmethod builtins.classmethod functools.wraps typing.override typing_extensions.override"
    " typing.final functools.cache functools.lru_cache builtins.property functools.cached_property"
)

#: Different outcomes told apart in one summary.
_MOST_OUTCOMES: Final = 6
#: Deeper chains of calls than this are not followed.
_DEEPEST: Final = 24


@dataclass(frozen=True)
class Outcome:
    """One way a function ends: under which conditions on its parameters, with which effect on each, with what."""

    facts: tuple[tuple[str, bool], ...]
    effects: tuple[tuple[str, str], ...]  #: parameter -> "closed", "kept" or "self.attribute"
    result: Value = None
    holds: bool = False  #: an attribute of the object is left with something open


@dataclass(frozen=True)
class Summary:
    """Every way a function ends, in few words."""

    normal: tuple[Outcome, ...]
    raising: tuple[Outcome, ...]

    @property
    def opens(self) -> bool:
        """Whether a caller may get something to close."""
        return any(_fresh(outcome.result) for outcome in self.normal)


def _fresh(shape: Value) -> bool:
    if shape is None:
        return False
    return shape[0] == "fresh" or (shape[0] == "t" and any(_fresh(member) for member in shape[1]))


class Summaries:
    """Walks functions when they are asked for and remembers what came out."""

    def __init__(self, project: Project, tables: Tables) -> None:
        self.project = project
        self.tables = tables
        self.walks: dict[Function, Walk | None] = {}
        self.known: dict[Function, Summary | None] = {}
        self.asked: set[Function] = set()  #: functions asked for while they were being walked
        self.underway: list[Function] = []
        self.early: dict[Function, set[Function]] = {}  #: function -> those settled without its answer, to be forgotten
        self.openers = _names_of(tables)
        self.relevance: dict[Function, bool] = {}
        self.risk = cache(risk_of_function)
        self.defaults = cache(defaults_of)
        self.overview = Overview(self)
        self.classes = Classes(project, self)

    def of(self, function: Function, needed: bool) -> Summary | None:
        """The summary; ``None`` where there is none to be had. ``needed`` says that the caller gave it a resource."""
        self.project.trace.look(function.module.name, "summary" if needed else "gist", function.qualname)
        if not (needed or self.relevant(function)):
            return _NOTHING
        if function in self.known:
            self.rests_on_early(function)
            return self.known[function]
        if function in self.underway:
            self.asked.add(function)
            self.early.setdefault(function, set()).update(self.underway[self.underway.index(function) + 1 :])
            return None
        if len(self.underway) > _DEEPEST:
            return None if needed else _NOTHING
        if self.opaque(function):
            self.known[function] = None
            return None
        return self.settle(function)

    def forget_callers(self, names: set[str]) -> None:
        """What was worked out without knowing that these names are factories' is to be worked out again."""
        for function in [f for f in self.walks if f.calls_any(names)]:
            del self.walks[function]
        for function in [f for f in self.known if f.calls_any(names)]:
            del self.known[function]
        self.relevance.clear()
        self.classes.forget()

    def settle(self, function: Function) -> Summary | None:
        """Walk it; if it asked for itself on the way, walk it again on what was found until nothing changes."""
        self.underway.append(function)
        summary: Summary | None = None
        for _ in range(3):
            self.asked.discard(function)
            walk = self.walk(function)
            before, summary = summary, summarise(walk) if walk is not None else None
            if function not in self.asked or summary == before:
                break
            self.underway.remove(function)
            self.known[function] = summary
            self.underway.append(function)
        self.underway.remove(function)
        self.known[function] = summary
        for other in self.early.pop(function, ()):
            if other not in self.underway:
                self.known.pop(other, None)
                self.walks.pop(other, None)
        return summary

    def rests_on_early(self, function: Function) -> None:
        """Whoever asks for what was settled too early is settled too early as well."""
        for head, others in self.early.items():
            if function in others:
                others.update(self.underway[self.underway.index(head) + 1 :])

    def walk(self, function: Function) -> Walk | None:
        """The walk through a function, made anew; ``None`` if it is beyond following."""
        before = self.project.trace.turn(function.module)
        try:
            walk: Walk | None = Walk(function, self.project, self.tables, self).run()
        except (TooLarge, RecursionError):
            walk = None
        finally:
            self.project.trace.turn(before)
        self.walks[function] = walk
        return walk

    def relevant(self, function: Function) -> bool:
        """Whether it calls anything that opens or closes, as far as names tell."""
        if function not in self.relevance:
            before = self.project.trace.turn(function.module)
            told = any(self.tells(function.module, text) for text in function.calls)
            self.relevance[function] = told or self.classes.closes_and_uses(function)
            self.project.trace.turn(before)
        return self.relevance[function]

    def tells(self, module: Module, text: str) -> bool:
        """Whether a name that is called is an opener's, a closer's, or may be a method of something that opens."""
        last, learned = text.rpartition(".")[2], self.overview.learned
        if last in learned or (text.count(".") > 1 and not learned.isdisjoint(text.split(".")[1:-1])):
            return True  # the name that is called, or a property on the way to it
        packages = self.openers.get(last)
        if packages is None:
            return False
        dotted = module.resolve(text)
        if dotted:
            dotted = self.known_name(module, dotted)
            return dotted in self.tables.openers or dotted in FUNCTION_CLOSERS
        return not packages.isdisjoint(name.partition(".")[0] for name in module.imports.values())

    def known_name(self, module: Module, dotted: str) -> str:
        """A name as the tables have it, also where the project itself passes it on: ``.compat.TemporaryDirectory``."""
        if dotted in self.tables.openers or is_stdlib(dotted) or dotted.rpartition(".")[2] not in self.openers:
            return dotted
        return self.project.origin(module.root, dotted)

    def opaque(self, function: Function) -> bool:
        """Its body does not tell what a call of it does."""
        if isinstance(function.node, ast.Module) or function.generator:
            return True
        return not _TRANSPARENT.issuperset(function.decorators()) or _is_stub(function.node)


def _names_of(tables: Tables) -> dict[str, set[str]]:
    """The last part of each opener's and closer's name, and the packages it is from."""
    owing = [name for name, opener in tables.openers.items() if _owes(tables, opener)]
    names: dict[str, set[str]] = {}
    for dotted in (*owing, *FUNCTION_CLOSERS):
        names.setdefault(dotted.rpartition(".")[2], set()).add(dotted.partition(".")[0])
    return names


def _owes(tables: Tables, opener: Opener) -> bool:
    return bool(opener.parts) or not tables.kinds[opener.kind].weak


def _is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Only a docstring, ``...``, ``pass`` or ``raise NotImplementedError``."""
    for statement in node.body:
        if isinstance(statement, ast.Pass) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            continue
        if isinstance(statement, ast.Raise) and statement.exc is not None:
            return "NotImplemented" in ast.unparse(statement.exc)
        return False
    return True


_NOTHING: Final = Summary((Outcome((), ()),), ())


def summarise(walk: Walk) -> Summary:
    """The exits of a walk, folded into few outcomes."""
    normal = [_outcome(walk, path) for path, at in walk.exits if at != ESCAPED]
    raising = [_outcome(walk, path) for path, at in walk.exits if at == ESCAPED]
    return Summary(_folded(normal), _folded(raising))


def _outcome(walk: Walk, path: Path) -> Outcome:
    parameters = [site for site in walk.sites if site.borrowed]
    names = set(walk.function.parameters)
    given = {text.removeprefix(GIVEN): answer for text, answer in path.facts.items() if text.startswith(GIVEN)}
    facts = [(t, answer) for t, answer in {**path.facts, **given}.items() if t.partition(" ")[0] in names]
    effects = []
    for site in parameters:
        effect = _effect(path.held.get(site.index), site.index, path)
        if effect:
            effects.append((site.parameter, effect))
    return Outcome(tuple(sorted(facts)), tuple(effects), _shape(walk, path, path.result), _holds(walk, path))


def _holds(walk: Walk, path: Path) -> bool:
    held = (site for site in walk.sites if not site.borrowed and not site.kind.weak and site.index in path.held)
    return HOLDS in path.env or any(
        path.held[site.index].open and path.held[site.index].note == STORED for site in held
    )


def _effect(hold: Hold | None, index: int, path: Path) -> str:
    if hold is None or hold.open:
        return ""
    if hold.released:
        return "closed"
    if hold.note == "returned":
        return ""
    return hold.note if hold.note.startswith("self.") else "kept"


def _shape(walk: Walk, path: Path, value: Value) -> Value:
    """What a result means to a caller who does not know this function's insides."""
    if value is None:
        return None
    tag = value[0]
    if tag == "r":
        site = walk.sites[value[1]]
        if site.borrowed:
            return ("param", site.parameter)
        if path.held[value[1]].note != "returned":
            return None
        return ("fresh", site.kind_name, site.cls, site.pipes)
    if tag == "w":
        site = walk.sites[value[1]]
        return ("wraps", site.parameter) if site.borrowed else None
    if tag == "t" and _closable_by_closure(value):
        return None
    if tag == "t":
        return ("t", tuple(_shape(walk, path, member) for member in value[1]))
    if tag == "d":
        names = frozenset(walk.sites[i].parameter for i in resources_in(value) if walk.sites[i].borrowed)
        return ("reads", names) if names else None
    if tag == "h":
        return (
            "holds",
            frozenset((a, walk.sites[i].parameter) for a, i in value[3] if walk.sites[i].borrowed),
            value[2],
        )
    return value if tag in ("k", "o") else None


def _closable_by_closure(values: Value) -> bool:
    """``return f, commit, abort``: the functions close the file, whoever has them."""
    members = values[1] if values is not None else ()
    held = {i for m in members if m is not None and m[0] in ("f", "m") for i in resources_in(m)}
    return any(m is not None and m[0] == "r" and m[1] in held for m in members)


def _folded(outcomes: list[Outcome]) -> tuple[Outcome, ...]:
    """Conditions that change nothing are dropped; where the same conditions lead to different ends, the kinder one
    is told: a helper that may close counts as one that does."""
    by_effect: dict[object, list[Outcome]] = {}
    for outcome in outcomes:
        by_effect.setdefault((outcome.effects, outcome.result, outcome.holds), []).append(outcome)
    if len(by_effect) == 1:
        return (replace(outcomes[0], facts=()),)
    folded = [_common(group) for group in by_effect.values()]
    return _kindest(folded)


def _common(group: list[Outcome]) -> Outcome:
    """The conditions that all outcomes of one effect share."""
    shared = set(group[0].facts)
    for outcome in group[1:]:
        shared &= set(outcome.facts)
    return replace(group[0], facts=tuple(sorted(shared)))


def _kindest(outcomes: list[Outcome]) -> tuple[Outcome, ...]:
    """Outcomes that exclude each other stay apart; of the others, the ones that close or keep more win."""
    kept: list[Outcome] = []
    for outcome in sorted(outcomes, key=lambda o: -len(o.effects)):
        rivals = [other for other in kept if not _exclude(other, outcome) and _alike(other, outcome)]
        if not rivals and len(kept) < _MOST_OUTCOMES:
            kept.append(outcome)
    return tuple(kept)


def _alike(one: Outcome, other: Outcome) -> bool:
    return one.result == other.result and one.holds == other.holds


def _exclude(one: Outcome, other: Outcome) -> bool:
    answers = dict(one.facts)
    return any(answers.get(text, answer) != answer for text, answer in other.facts)
