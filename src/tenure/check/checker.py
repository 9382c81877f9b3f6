"""One project under check: its modules are loaded, who opens things is learnt, then each module is judged."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from tenure.check.allow import allowances, sifted
from tenure.check.cases import cases_of, slips_of
from tenure.check.config import Config
from tenure.check.effects import Tables
from tenure.check.finding import CERTAINTIES, Finding, Step
from tenure.check.indexing import index
from tenure.check.lines import split
from tenure.check.modules import Function, Key, Module
from tenure.check.openers import is_stdlib, with_extra
from tenure.check.overview import Bystander
from tenure.check.project import Project
from tenure.check.reading import nodes_of
from tenure.check.rule import Draft, Rule
from tenure.check.rules import RULES, unfinished
from tenure.check.rules.unused_allow import unused
from tenure.check.scene import Scene
from tenure.check.source import parse, root_and_name
from tenure.check.summaries import Summaries
from tenure.check.trace import Trace
from tenure.check.walk import Walk

__all__ = ["Checker"]

#: How far imports are followed for the sake of factories.
IMPORTS_FOLLOWED: Final = 3


class Checker:
    """One project under check."""

    def __init__(self, config: Config, project: Project | None = None) -> None:
        self.config = config
        openers, kinds = with_extra(config.openers)
        self.project = project or Project()
        self.project.trace = Trace()
        self.summaries = Summaries(self.project, Tables(openers, kinds))
        self.rules = [rule for rule in RULES if config.wants(rule.name, rule.code)]
        self.imports: dict[Module, tuple[str, ...]] = {}
        self.bystanders: dict[Key, Bystander] = {}
        self.unfinished: dict[Module, int] = {}  #: how many places of a module were not followed to the end
        self.known = {word for rule in RULES for word in (rule.name, rule.code)}

    def load(self, text: str, path: Path) -> Module:
        """Read one file of the project."""
        root, name, package = root_and_name(path)
        module = self.project.modules.get((root, name))
        if module is None or (module.path, module.text) != (str(path), text):
            module = index(text, str(path), parse(text, str(path)), (root, name, package))
            self.project.add(module)
        return module

    def learn(self, modules: Iterable[Module], bystanders: Iterable[Bystander] = ()) -> None:
        """Read what the modules import of their own project, and find out who opens things.

        Of ``bystanders`` this is known already, so that they are not read.
        """
        self.bystanders = {(b.root, b.name): b for b in bystanders}
        asked = {module.key: module for module in modules}
        known = dict.fromkeys([*asked, *(key for key, b in self.bystanders.items() if b.asked)])
        frontier = list(known)
        for _ in range(IMPORTS_FOLLOWED):
            reached = [(root, name) for root, of in frontier for name in self.imported(root, of)]
            frontier = [key for key in dict.fromkeys(reached) if key not in known]
            known.update(dict.fromkeys(frontier))
        read = [self.project.module(*key) for key in known if key not in self.bystanders]
        stood_by = [self.bystanders[key] for key in known if key in self.bystanders]
        self.summaries.overview.learn([module for module in read if module is not None], stood_by)

    def imported(self, root: str, name: str) -> tuple[str, ...]:
        """Names of the modules of the same project that a module takes names from."""
        if (root, name) in self.bystanders:
            return self.bystanders[root, name].imports
        module = self.project.module(root, name)
        if module is None:
            return ()
        if module not in self.imports:
            before = self.project.trace.turn(module)
            self.imports[module] = tuple(other for other in _foreign(module) if self.exists(root, other))
            self.project.trace.turn(before)
        return self.imports[module]

    def exists(self, root: str, name: str) -> bool:
        """Whether there is a module of that name; it need not be read for that."""
        self.project.trace.look(name, "file")
        return (root, name) in self.bystanders or self.project.has(root, name)

    def findings(self, module: Module) -> list[Finding]:
        """What the rules say about a module, less what its comments allow."""
        allowed = allowances(module.text)
        judged = list(sifted(self.judged(module), allowed))
        self.unfinished[module] = sum(finding.rule == unfinished.RULE.name for finding in judged)
        kept = [finding for finding in judged if self.sure_enough(finding)]
        if self.config.wants("unused-allow", "TEN002"):
            idle = (a for a in allowed if not a.used and (a.rule not in self.known or self.in_use(a.rule)))
            kept.extend(unused(allowance, module.path, self.known) for allowance in idle)
        return kept

    def in_use(self, word: str) -> bool:
        return any(word in (rule.name, rule.code) for rule in self.rules)

    def judged(self, module: Module) -> Iterator[Finding]:
        self.project.trace.turn(module)
        for function in module.functions.values():
            if self.summaries.relevant(function):
                walk = self.walk(function)
                if walk is not None:
                    yield from self.of_walk(walk)
        scene = Scene(module, self.project, self.summaries)
        for rule in self.rules:
            if rule.scene is not None:
                yield from self.of_scene(rule, rule.scene, scene)
        self.project.trace.turn(None)

    def of_scene(self, rule: Rule, judge: Callable[[Scene], Iterator[Draft]], scene: Scene) -> Iterator[Finding]:
        try:
            for draft in judge(scene):
                yield _finding(rule, draft, scene.module)
        except RecursionError:
            if self.config.wants(unfinished.RULE.name, unfinished.RULE.code):
                yield _finding(unfinished.RULE, unfinished.cut_short(scene.module, rule), scene.module)

    def walk(self, function: Function) -> Walk | None:
        if function not in self.summaries.walks:
            if self.summaries.opaque(function):
                self.summaries.walk(function)
            else:
                self.summaries.of(function, True)
        return self.summaries.walks.get(function)

    def of_walk(self, walk: Walk) -> Iterator[Finding]:
        told: set[tuple[str, str | None, Step, int]] = set()
        for case in cases_of(walk):
            drafts = [
                (rule, draft) for rule in RULES if rule.loss is not None and (draft := rule.loss(case)) is not None
            ]
            if not drafts:
                continue
            # What hardly happens does not stand in the way of what does.
            rule, draft = next(((r, d) for r, d in drafts if d.certainty != "possible"), drafts[0])
            same = (rule.name, case.site.variable, draft.story[-1], _branching(walk.function, case.site.line))
            if rule in self.rules and (case.site.variable is None or same not in told):
                told.add(same)  # one name bound on two branches and lost at one place is one mistake
                yield _finding(rule, draft, walk.module)
        for slip in slips_of(walk):
            for rule in self.rules:
                draft = rule.slip(slip) if rule.slip is not None else None
                if draft is not None:
                    yield _finding(rule, draft, walk.module)

    def sure_enough(self, finding: Finding) -> bool:
        return CERTAINTIES.index(finding.certainty) <= CERTAINTIES.index(self.config.certainty)


def _branching(function: Function, line: int) -> int:
    """The line of the innermost ``if`` around a line, with all its ``elif``; the function's own where there is none."""
    inside = [n for n in nodes_of(function) if isinstance(n, ast.If) and n.lineno <= line <= (n.end_lineno or 0)]
    if not inside:
        return 0
    heads = {id(n.orelse[0]): n for n in inside if len(n.orelse) == 1}
    head = max(inside, key=lambda n: n.lineno)
    while id(head) in heads:
        head = heads[id(head)]
    return head.lineno


def _foreign(module: Module) -> list[str]:
    """Names that may be those of modules it imports, the standard library's left out."""
    dotted = {name for name in module.imports.values() if not is_stdlib(name)}
    return sorted(name for name in dotted | {name.rpartition(".")[0] for name in dotted} if name)


def _finding(rule: Rule, draft: Draft, module: Module) -> Finding:
    node = draft.node
    if isinstance(node, ast.withitem):
        node = node.context_expr
    line = getattr(node, "lineno", 1)
    column = _characters(module.text, line, getattr(node, "col_offset", 0)) + 1
    last = getattr(node, "end_lineno", line) or line
    return Finding(
        rule.name, rule.code, module.path, line, column, last, draft.message, draft.certainty, draft.story, draft.facts
    )


def _characters(text: str, line: int, column: int) -> int:
    """A column of ``ast``, which counts the bytes of UTF-8, as a person counts."""
    if text.isascii():
        return column
    return len(split(text)[line - 1].encode(errors="replace")[:column].decode(errors="replace"))
