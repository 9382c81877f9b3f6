"""Who owns what a class keeps in its attributes, seen from the whole project."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tenure.check.classes import ENDINGS
from tenure.check.finding import Facts, Step
from tenure.check.modules import Class, Function
from tenure.check.openers import STACKS
from tenure.check.rule import Draft
from tenure.check.scene import Scene
from tenure.check.state import Site

__all__ = ["Held", "unclosed_attributes"]


@dataclass(frozen=True)
class Held:
    """An attribute that holds a resource nobody closes."""

    cls: Class
    attribute: str
    site: Site
    method: Function
    ending: str  #: the method that closes the object, if it has one

    @property
    def named(self) -> str:
        return f"`self.{self.attribute}` ({self.site.kind.noun})"

    def draft(self, message: str) -> Draft:
        story = (
            Step(self.site.line, f"{self.site.kind.noun} opened here by `{self.site.called}()`"),
            Step(self.site.line, f"kept in `self.{self.attribute}`, which no method closes"),
        )
        node = self.site.node
        start = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0))
        end = (getattr(node, "end_lineno", 0), getattr(node, "end_col_offset", 0))
        facts = Facts(
            function=self.method.qualname,
            variable=f"self.{self.attribute}",
            kind=self.site.kind.noun,
            close=self.site.kind.close,
            managed=self.site.kind.managed,
            call_start=start,
            call_end=end,
        )
        certainty = "possible" if self.site.kind_name == "executor" else "likely"  # its threads end with the process
        return Draft(node, message, certainty, story, facts)


def unclosed_attributes(scene: Scene) -> Iterator[Held]:
    """Attributes of the module's classes that hold a resource no method in sight closes."""
    for cls in scene.module.classes.values():
        if scene.summaries.classes.sealed(cls):
            for attribute, stored in scene.summaries.classes.stored_in(cls).items():
                owed = [(method, site) for method, site in stored if not site.kind.dormant or _filled(cls, attribute)]
                if owed and not _closed(scene, cls, attribute):
                    method, site = owed[0]
                    yield Held(cls, attribute, site, method, _ending(scene, cls))
            for attribute, method, site in scene.summaries.classes.made_in(cls):
                if not site.kind.dormant and not _closed(scene, cls, attribute):
                    yield Held(cls, attribute, site, method, _ending(scene, cls))


def _filled(cls: Class, attribute: str) -> bool:
    """Whether a method puts something into a stack or a scope: ``self.scope.open(...)``."""
    filling = tuple(f".{attribute}.{name}" for name in STACKS if not name.endswith("callback"))
    return any(text.endswith(filling) for method in cls.methods.values() for text in method.calls)


def _closed(scene: Scene, cls: Class, attribute: str) -> bool:
    """By a method of the class or its bases, by a subclass, or by anybody who reaches into the object."""
    part = f"{cls.name}.{attribute}"
    overview = scene.summaries.overview
    return scene.summaries.classes.may_close(cls, attribute) or overview.somebody_closes(part, cls.module.root)


def _ending(scene: Scene, cls: Class) -> str:
    """The method that is there to close the object: one that closes something else, or is named so."""
    names = [n for current in scene.project.lineage(cls) if current is not None for n in current.methods]
    return next((name for name in names if name in ENDINGS and not _is_empty(scene, cls, name)), "")


def _is_empty(scene: Scene, cls: Class, name: str) -> bool:
    method = scene.project.method(cls, name)
    return method is None or all(isinstance(statement, ast.Pass) for statement in method.node.body)
