"""What a walk saw, laid out for the rules: one case for each resource lost, one slip for each misuse."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tenure.check.effects import Loss, Misuse
from tenure.check.finding import Facts, Step
from tenure.check.rule import Draft
from tenure.check.state import Site
from tenure.check.walk import Walk

__all__ = ["Case", "Slip", "cases_of", "slips_of", "tell"]

#: How a level of likelihood is called.
_CERTAINTY: Final = {3: "certain", 2: "likely", 1: "possible", 0: "possible"}
_ENDED: Final = "ended"
#: Exceptions that say little of whether they ever come: of a class nobody knows, and for bytes that are no text.
_VAGUE: Final = frozenset({"", "builtins.UnicodeDecodeError"})


@dataclass(frozen=True)
class Case:
    """One resource that is lost on some path."""

    walk: Walk
    site: Site
    losses: tuple[Loss, ...]
    fates: frozenset[str]  #: what else became of it: "released", "released on error", "kept", "stored", ...

    def lost(self, *how: str) -> Loss | None:
        """The surest loss of one of these kinds, if there is one."""
        fitting = [loss for loss in self.losses if loss.how in how]
        return max(fitting, key=lambda loss: (loss.level, -loss.item)) if fitting else None

    @property
    def in_test(self) -> bool:
        """An exception in a test is the end of the test, and mostly of the process."""
        parts = self.walk.module.path.replace("\\", "/").split("/")
        name = parts[-1]
        return name.startswith("test_") or name.endswith("_test.py") or not {"test", "tests"}.isdisjoint(parts[-3:-1])

    @property
    def handled(self) -> bool:
        """Some path closes it or hands it on without an error."""
        return bool(self.fates & {"released", "kept", "stored"})

    @property
    def named(self) -> str:
        """``f`` (file), or what it is where it has no name."""
        noun = self.site.kind.noun
        return f"`{self.site.variable}` ({noun})" if self.site.variable else f"the {noun} from `{self.site.called}()`"

    def draft(self, loss: Loss, message: str, ending: str) -> Draft:
        """A finding at the place that opened it."""
        vague = loss.level == 2 and loss.error in _VAGUE
        patient = self.site.kind_name in ("process", "executor")  # both are mostly harmless when they are forgotten
        doubtful = vague and (loss.how == "init" or (loss.how == "error" and patient))
        if loss.how in ("error", "init") and self.site.kind_name == "temporary directory":
            doubtful = True  # its finalizer removes it
        in_test = loss.how in ("error", "init") and self.in_test
        certainty = _CERTAINTY[1 if doubtful or in_test else loss.level]
        if self.is_passed_on(loss) or (self.site.kind_name == "process" and not self.site.pipes):
            certainty = "possible"  # started and left to itself, as one does with a viewer or a daemon
        line = loss.line if loss.how in ("temporary", "rebound") else _left_at(self.walk, loss)
        story = (*tell(self.walk, loss.item, self.site), Step(line, ending))
        return Draft(self.origin.node, message, certainty, story, self.facts())

    @property
    def origin(self) -> Site:
        """Where it all began: what a wrapper was given to own was opened before the wrapper."""
        first = min(self.site.adopted, default=self.site.index)
        return self.site if self.walk.sites[first].borrowed else self.walk.sites[first]

    def is_passed_on(self, loss: Loss) -> bool:
        """Whether it may be somebody else's to close; where it is closed here, an exception that comes first counts."""
        return self.site.doubtful and not ("released" in self.fates and loss.how in ("error", "generator", "init"))

    def facts(self) -> Facts:
        node, around = self.site.node, self.site.statement or self.site.node
        if isinstance(around, ast.withitem):
            around = around.context_expr
        return Facts(
            function="" if isinstance(self.walk.function.node, ast.Module) else self.walk.function.qualname,
            variable=self.site.variable,
            kind=self.site.kind.noun,
            close=self.site.kind.close,
            managed=self.site.kind.managed,
            start=_start(around),
            end=_end(around),
            call_start=_start(node),
            call_end=_end(node),
        )

    @property
    def pipes(self) -> str:
        """The pipes of a process that has ended, where they are what stays open."""
        open_pipes = {pipe for loss in self.losses if _ENDED in loss.hold.parts for pipe in loss.hold.parts}
        return ", ".join(sorted(open_pipes - {_ENDED}))


@dataclass(frozen=True)
class Slip:
    """One misuse of a resource."""

    walk: Walk
    misuse: Misuse

    @property
    def named(self) -> str:
        site = self.misuse.site
        name = site.variable or site.parameter
        return f"`{name}`" if name else f"the {site.kind.noun}"

    def draft(self, message: str, ending: str) -> Draft:
        node = self.misuse.node
        line = getattr(node, "lineno", 0)
        return Draft(
            node, message, "certain", (*tell(self.walk, self.misuse.item, self.misuse.site), Step(line, ending))
        )


def _left_at(walk: Walk, loss: Loss) -> int:
    """The last line before the function is left."""
    item = loss.item
    while item >= 0:
        at, _, before, _, line = walk.steps[item]
        if line or walk.flow.nodes[at].line:
            return line or walk.flow.nodes[at].line
        item = before
    return loss.line


def _start(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _end(node: ast.AST) -> tuple[int, int]:
    return getattr(node, "end_lineno", 0) or 0, getattr(node, "end_col_offset", 0) or 0


def tell(walk: Walk, item: int, site: Site) -> tuple[Step, ...]:
    """The way from the opening to a step of the walk: the turns taken, the calls that raise."""
    steps: list[Step] = []
    while item >= 0:
        _, _, before, word, line = walk.steps[item]
        held_before = before >= 0 and site.index in walk.steps[before][1].held
        if word and line and (held_before or site.borrowed):
            steps.append(Step(line, _worded(walk, before, word)))
        if not held_before and not site.borrowed:
            break
        item = before
    if not site.borrowed:
        steps.append(Step(site.line, f"{site.kind.noun} opened here by `{site.called}()`"))
    return tuple(_without_repeats(reversed(steps)))


def _worded(walk: Walk, before: int, word: str) -> str:
    if word in ("is true", "is false") and before >= 0:
        condition = walk.flow.nodes[walk.steps[before][0]].item
        text = ast.unparse(condition) if condition is not None else ""
        return f"`{text if len(text) < 60 else text[:57] + '…'}` {word}"
    if word == "raises":
        return "an exception is raised"
    if word == "is caught":
        return "the exception is caught"
    return word


def _without_repeats(steps: Iterator[Step]) -> Iterator[Step]:
    last = None
    for step in steps:
        if step != last:
            yield step
        last = step


def cases_of(walk: Walk) -> list[Case]:
    """The losses of a walk by the resource that was lost."""
    by_place: dict[tuple[int, str], list[Loss]] = {}
    lost = {loss.site.index for loss in walk.losses}
    for loss in walk.losses:
        if loss.site.parent in lost:
            continue  # it goes with what it was opened through, which is told
        by_place.setdefault((id(loss.site.node), loss.site.kind_name), []).append(loss)
    cases = []
    for losses in by_place.values():
        sites = {loss.site.index for loss in losses}
        fates = frozenset(fate for index in sites for fate in walk.fates[index])
        cases.append(Case(walk, losses[0].site, tuple(losses), fates))
    return cases


def slips_of(walk: Walk) -> list[Slip]:
    """The misuses of a walk, each place once."""
    seen: set[tuple[str, int]] = set()
    slips = []
    for misuse in walk.misuses:
        key = (misuse.rule, id(misuse.node))
        if key not in seen:
            seen.add(key)
            slips.append(Slip(walk, misuse))
    return slips
