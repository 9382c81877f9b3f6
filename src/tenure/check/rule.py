"""One opinion of the checker: its name, its code, its sentence and its page."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule is a file, a page and a line."""

    name: str  #: the thing found, fit to follow ``allow``
    code: str
    sentence: str  #: what is wrong where the rule speaks

    @property
    def page(self) -> str:
        """Where its page stands in the project."""
        return f"docs/rules/{self.name}.md"
