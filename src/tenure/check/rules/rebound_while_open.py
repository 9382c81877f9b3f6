"""A name is bound anew, or deleted, while it is the last one of an open resource."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from tenure.check.cases import Case
from tenure.check.expiry import expires, renewed_after_failure
from tenure.check.modules import Class, Function
from tenure.check.reading import mentions, nodes_of, self_name
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge", "judge_class"]


def judge(case: Case) -> Draft | None:
    """The only name for it goes to something else."""
    loss = case.lost("rebound")
    if loss is None or loss.line == case.site.line:
        return None
    return case.draft(
        loss, f"{case.named} is still open when its name is bound anew or deleted", "the last name for it is gone"
    )


def judge_class(scene: Scene) -> Iterator[Draft]:
    """What an object keeps in an attribute is replaced: ``__init__`` has opened it, or the method that does so has."""
    classes = scene.summaries.classes
    for cls in scene.module.classes.values():
        held = classes.stored_in(cls)
        building = classes.reached(cls, "__init__") if held else set()
        for attribute, stored in held.items():
            built = any(method.name in building and not site.kind.dormant for method, site in stored)
            for method, site in stored:
                if method.name != "__init__" and not site.kind.dormant:
                    for call in renewed_after_failure(scene, cls, attribute, method, site.node):
                        noun = site.kind.noun
                        message = f"`self.{attribute}` ({noun}) is bound anew; the {noun} that failed is not closed"
                        yield Draft(call, message, "likely")
                if method.name in building | {"__setstate__"} or site.kind.dormant:
                    continue
                replaced = built and not _looks_first(scene, cls, method, attribute)
                if replaced or expires(scene, cls, method, attribute, site.node):
                    noun = site.kind.noun
                    message = f"`self.{attribute}` ({noun}) is bound anew; the {noun} it has held is not closed"
                    yield Draft(site.node, message, "likely")


def _looks_first(scene: Scene, cls: Class, method: Function, attribute: str) -> bool:
    """The method, or one that it calls, does something with what was there; what cannot be seen may."""
    reached = scene.summaries.classes.reached(cls, method.name)
    if not reached <= set(cls.methods):
        return True
    own = [(self_name(cls.methods[name]), node) for name in reached for node in nodes_of(cls.methods[name])]
    reads = {n.attr for name, n in own if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load)}
    asks = any(isinstance(n, ast.If) and mentions(n.test, name) for name, n in own)
    return attribute in reads or asks


RULE: Final = Rule(
    "rebound-while-open",
    "TEN103",
    "A name is bound anew, or deleted, while it is the last one of an open resource.",
    loss=judge,
    scene=judge_class,
)
