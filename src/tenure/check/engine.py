"""The checker's front door: files in, findings out."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tenure.check.cases import cases_of, slips_of
from tenure.check.config import Config
from tenure.check.effects import Tables
from tenure.check.finding import CERTAINTIES, Finding
from tenure.check.openers import is_stdlib, with_extra
from tenure.check.project import Function, Module, Project, Unreadable, index, parse, read_text, root_and_name
from tenure.check.rule import Draft, Rule
from tenure.check.rules import RULES
from tenure.check.scene import Scene
from tenure.check.summaries import Summaries
from tenure.check.walk import Walk

__all__ = ["Checker", "Report", "check", "check_source"]


#: How far imports are followed for the sake of factories.
IMPORTS_FOLLOWED: Final = 2


@dataclass(frozen=True)
class Report:
    """What one run found, and how much it read."""

    findings: tuple[Finding, ...]
    files: int
    lines: int
    seconds: float


def check(
    paths: Sequence[Path],
    config: Config,
    *,
    progress: Callable[[int, int, str], None] | None = None,
    jobs: int = 1,
    cache: Path | None = None,
) -> Report:
    """Check every Python file of ``paths``; ``progress`` hears (done, all, path) after each file."""
    began = time.perf_counter()
    files = _files_below(paths, config)
    checker = Checker(config)
    lines = 0
    findings: list[Finding] = []
    modules = []
    for path in files:
        try:
            text = read_text(path)
            lines += text.count("\n") + 1
            modules.append(checker.load(text, path))
        except (Unreadable, OSError) as error:
            findings.append(_unreadable(str(path), error))
    checker.learn(modules)
    for done, module in enumerate(modules, 1):
        findings.extend(checker.findings(module))
        if progress is not None:
            progress(done, len(modules), module.path)
    return Report(tuple(sorted(findings, key=_order)), len(files), lines, time.perf_counter() - began)


def check_source(text: str, path: str, config: Config) -> tuple[Finding, ...]:
    """Check one text as the file ``path``; the other files of its package are read from disk where it uses them."""
    checker = Checker(config)
    try:
        module = checker.load(text, Path(path))
    except Unreadable as error:
        return (_unreadable(path, error),)
    checker.learn([module])
    return tuple(sorted(checker.findings(module), key=_order))


def _order(finding: Finding) -> tuple[str, int, int, str]:
    return finding.path, finding.line, finding.column, finding.code


def _unreadable(path: str, error: Exception) -> Finding:
    line = getattr(error, "line", 1)
    return Finding("unreadable", "TEN001", path, line, 1, line, f"this file cannot be checked: {error}", "certain", ())


def _files_below(paths: Sequence[Path], config: Config) -> list[Path]:
    """The files named, and every ``.py`` file below the folders named, in order."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*.py")):
                below = file.relative_to(path)
                if file.is_file() and not any(below.match(p) or p in below.parts for p in config.exclude):
                    found[file] = None
        else:
            found[path] = None
    return list(found)


class Checker:
    """One project under check."""

    def __init__(self, config: Config) -> None:
        self.config = config
        openers, kinds = with_extra(config.openers)
        self.project = Project()
        self.summaries = Summaries(self.project, Tables(openers, kinds))
        self.rules = [rule for rule in RULES if config.wants(rule.name, rule.code)]

    def load(self, text: str, path: Path) -> Module:
        place = root_and_name(path)
        module = index(text, str(path), parse(text, str(path)), place)
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

    def imported(self, module: Module) -> Iterator[Module]:
        """Modules of the same project that this one takes names from."""
        foreign = {dotted for dotted in module.imports.values() if not is_stdlib(dotted)}
        for dotted in sorted(foreign | {dotted.rpartition(".")[0] for dotted in foreign}):
            found = self.project.module(module.root, dotted) if dotted else None
            if found is not None:
                yield found

    def findings(self, module: Module) -> Iterator[Finding]:
        for function in module.functions.values():
            if self.summaries.relevant(function):
                walk = self.walk(function)
                if walk is not None:
                    yield from self.of_walk(walk)
        scene = Scene(module, self.project, self.summaries)
        for rule in self.rules:
            if rule.scene is not None:
                for draft in rule.scene(scene):
                    yield self.finding(rule, draft, module.path)

    def walk(self, function: Function) -> Walk | None:
        if function not in self.summaries.walks:
            if self.summaries.opaque(function):
                self.summaries.walk(function)
            else:
                self.summaries.of(function, True)
        return self.summaries.walks.get(function)

    def of_walk(self, walk: Walk) -> Iterator[Finding]:
        for case in cases_of(walk):
            for rule in self.rules:
                draft = rule.loss(case) if rule.loss is not None else None
                if draft is not None:
                    if self.sure_enough(draft):
                        yield self.finding(rule, draft, walk.module.path)
                    break
        for slip in slips_of(walk):
            for rule in self.rules:
                draft = rule.slip(slip) if rule.slip is not None else None
                if draft is not None:
                    yield self.finding(rule, draft, walk.module.path)

    def sure_enough(self, draft: Draft) -> bool:
        return CERTAINTIES.index(draft.certainty) <= CERTAINTIES.index(self.config.certainty)

    def finding(self, rule: Rule, draft: Draft, path: str) -> Finding:
        node = draft.node
        if isinstance(node, ast.withitem):
            node = node.context_expr
        line = getattr(node, "lineno", 1)
        return Finding(
            rule.name,
            rule.code,
            path,
            line,
            getattr(node, "col_offset", 0) + 1,
            getattr(node, "end_lineno", line) or line,
            draft.message,
            draft.certainty,
            draft.story,
            draft.facts,
        )
