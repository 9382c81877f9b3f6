"""A module as the rules see it that look at a whole module."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.check.modules import Module
from tenure.check.project import Project
from tenure.check.summaries import Summaries

__all__ = ["Scene"]


@dataclass(frozen=True)
class Scene:
    """A module, the project around it, and what its functions do."""

    module: Module
    project: Project
    summaries: Summaries
