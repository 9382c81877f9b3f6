"""One opinion of the checker: its name, its code, its sentence, its page, and what it looks at."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tenure.check.finding import Facts, Step

if TYPE_CHECKING:
    from tenure.check.cases import Case, Slip
    from tenure.check.scene import Scene

__all__ = ["Draft", "Rule"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a rule has to say; the engine adds the rule's name and the file's."""

    node: ast.AST
    message: str
    certainty: str = "certain"
    story: tuple[Step, ...] = ()
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule is a file, a page and a line. It looks at one of three things, seldom at two."""

    name: str  #: the thing found, fit to follow ``allow``
    code: str
    sentence: str  #: what is wrong where the rule speaks
    loss: Callable[[Case], Draft | None] | None = None  #: a resource that was lost; the first rule to speak has it
    slip: Callable[[Slip], Draft | None] | None = None  #: a resource used in a way it no longer allows
    scene: Callable[[Scene], Iterator[Draft]] | None = None  #: a whole module

    @property
    def page(self) -> str:
        """Where its page stands in the project."""
        return f"docs/rules/{self.name}.md"
