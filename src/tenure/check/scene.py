"""A module as the rules see it that look at a whole module."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.check.modules import Function, Module
from tenure.check.openers import is_stdlib
from tenure.check.project import Project
from tenure.check.summaries import Summaries

__all__ = ["Scene"]


@dataclass(frozen=True)
class Scene:
    """A module, the project around it, and what its functions do."""

    module: Module
    project: Project
    summaries: Summaries

    def function(self, module: Module, text: str) -> Function | None:
        """The function of the project, no method, that a name stands for in a module."""
        dotted = module.resolve(text) if text else ""
        found = self.project.find(module.root, dotted) if dotted and not is_stdlib(dotted) else None
        return found if isinstance(found, Function) and found.owner is None else None
