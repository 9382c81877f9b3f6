"""A class has a method that closes it, and that method misses a resource the class keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tenure.check.ownership import unclosed_attributes
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """The class closes itself, one attribute excepted."""
    for held in unclosed_attributes(scene):
        if held.ending:
            message = f"{held.named} is not closed by `{held.cls.name}.{held.ending}`"
            yield held.draft(message)


RULE: Final = Rule(
    "close-misses-attribute",
    "TEN202",
    "A class has a method that closes it, and that method misses a resource the class keeps.",
    scene=judge,
)
