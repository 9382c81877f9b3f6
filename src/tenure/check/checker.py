"""One project under check: its modules are loaded, who opens things is learnt, then each module is judged."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tenure.check.allow import allowances, sifted
from tenure.check.cases import cases_of, slips_of
from tenure.check.config import Config
from tenure.check.effects import Tables
from tenure.check.finding import CERTAINTIES, Finding, Step
from tenure.check.openers import is_stdlib, with_extra
from tenure.check.project import Function, Module, Project, index
from tenure.check.rule import Draft, Rule
from tenure.check.rules import RULES
from tenure.check.rules.unused_allow import unused
from tenure.check.scene import Scene
from tenure.check.source import parse, root_and_name
from tenure.check.summaries import Summaries
from tenure.check.walk import Walk

__all__ = ["Checker"]

#: How far imports are followed for the sake of factories.
IMPORTS_FOLLOWED: Final = 3


class Checker:
    """One project under check."""

    def __init__(self, config: Config) -> None:
        self.config = config
        openers, kinds = with_extra(config.openers)
        self.project = Project()
        self.summaries = Summaries(self.project, Tables(openers, kinds))
        self.rules = [rule for rule in RULES if config.wants(rule.name, rule.code)]
        self.imports: dict[Module, list[Module]] = {}
        self.known = {word for rule in RULES for word in (rule.name, rule.code)}

    def load(self, text: str, path: Path) -> Module:
        """Read one file of the project."""
        module = index(text, str(path), parse(text, str(path)), root_and_name(path))
        self.project.add(module)
        return module

    def learn(self, modules: Sequence[Module]) -> None:
        """Read what the modules import of their own project, and find out who opens things."""
        known = dict.fromkeys(modules)
        frontier = list(modules)
        for _ in range(IMPORTS_FOLLOWED):
            frontier = [found for module in frontier for found in self.imported(module) if found not in known]
            known.update(dict.fromkeys(frontier))
        self.summaries.learn(list(known))

    def imported(self, module: Module) -> list[Module]:
        """Modules of the same project that this one takes names from."""
        if module not in self.imports:
            self.imports[module] = list(self.look_up_imports(module))
        return self.imports[module]

    def look_up_imports(self, module: Module) -> Iterator[Module]:
        foreign = {dotted for dotted in module.imports.values() if not is_stdlib(dotted)}
        for dotted in sorted(foreign | {dotted.rpartition(".")[0] for dotted in foreign}):
            found = self.project.module(module.root, dotted) if dotted else None
            if found is not None:
                yield found

    def rests_on(self, module: Module) -> list[str]:
        """The other files a module's findings may depend on: what it imports, and what that imports."""
        if self.project.searched(module):
            return [other.path for other in self.project.modules.values() if other not in (None, module)]
        reached = {module}
        frontier = {module}
        while frontier:
            frontier = {found for m in frontier for found in self.imported(m)} - reached
            reached |= frontier
        return [other.path for other in reached if other is not module]

    def findings(self, module: Module) -> list[Finding]:
        """What the rules say about a module, less what its comments allow."""
        allowed = allowances(module.text)
        found = [finding for finding in self.judged(module) if self.sure_enough(finding)]
        kept = list(sifted(found, allowed))
        if self.config.wants("unused-allow", "TEN002"):
            idle = (a for a in allowed if not a.used and (a.rule not in self.known or self.in_use(a.rule)))
            kept.extend(unused(allowance, module.path, self.known) for allowance in idle)
        return kept

    def in_use(self, word: str) -> bool:
        return any(word in (rule.name, rule.code) for rule in self.rules)

    def judged(self, module: Module) -> Iterator[Finding]:
        for function in module.functions.values():
            if self.summaries.relevant(function):
                walk = self.walk(function)
                if walk is not None:
                    yield from self.of_walk(walk)
        scene = Scene(module, self.project, self.summaries)
        for rule in self.rules:
            if rule.scene is not None:
                for draft in rule.scene(scene):
                    yield _finding(rule, draft, module.path)

    def walk(self, function: Function) -> Walk | None:
        if function not in self.summaries.walks:
            if self.summaries.opaque(function):
                self.summaries.walk(function)
            else:
                self.summaries.of(function, True)
        return self.summaries.walks.get(function)

    def of_walk(self, walk: Walk) -> Iterator[Finding]:
        told: set[tuple[str, str | None, Step]] = set()
        for case in cases_of(walk):
            for rule in RULES:
                draft = rule.loss(case) if rule.loss is not None else None
                if draft is None:
                    continue
                same = (rule.name, case.site.variable, draft.story[-1])
                if rule in self.rules and (case.site.variable is None or same not in told):
                    told.add(same)  # one name bound on two branches and lost at one place is one mistake
                    yield _finding(rule, draft, walk.module.path)
                break
        for slip in slips_of(walk):
            for rule in self.rules:
                draft = rule.slip(slip) if rule.slip is not None else None
                if draft is not None:
                    yield _finding(rule, draft, walk.module.path)

    def sure_enough(self, finding: Finding) -> bool:
        return CERTAINTIES.index(finding.certainty) <= CERTAINTIES.index(self.config.certainty)


def _finding(rule: Rule, draft: Draft, path: str) -> Finding:
    node = draft.node
    if isinstance(node, ast.withitem):
        node = node.context_expr
    line = getattr(node, "lineno", 1)
    column = getattr(node, "col_offset", 0) + 1
    last = getattr(node, "end_lineno", line) or line
    return Finding(
        rule.name, rule.code, path, line, column, last, draft.message, draft.certainty, draft.story, draft.facts
    )
