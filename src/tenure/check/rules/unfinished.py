"""A function has more paths than are followed: what was found in it stands, but not everything was seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tenure.check.modules import Module
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "cut_short", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """Functions whose walk was cut short."""
    for function in scene.module.functions.values():
        if function not in scene.summaries.walks:
            continue
        walk = scene.summaries.walks[function]
        if walk is None:
            yield Draft(function.node, f"`{function.qualname}` is too large or too deeply nested to follow", "possible")
        elif walk.unfinished:
            yield Draft(function.node, f"`{function.qualname}` has too many paths to follow them all", "possible")


def cut_short(module: Module, rule: Rule) -> Draft:
    """An expression was nested too deeply for a rule that looks at whole files."""
    return Draft(module.tree, f"{rule.name} did not see all of this file: it is nested too deeply", "possible")


RULE: Final = Rule(
    "unfinished",
    "TEN003",
    "A function has more paths than are followed: what was found in it stands, but not everything was seen.",
    scene=judge,
)
