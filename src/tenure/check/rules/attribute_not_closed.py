"""An object keeps a resource in an attribute, and nothing in its class closes it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tenure.check.ownership import unclosed_attributes
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene

__all__ = ["RULE", "judge"]


def judge(scene: Scene) -> Iterator[Draft]:
    """The class has no method that ends the object's life."""
    for held in unclosed_attributes(scene):
        if not held.ending:
            message = f"{held.named} is never closed: {held.cls.name} has no method for it"
            yield held.draft(message)


RULE: Final = Rule(
    "attribute-not-closed",
    "TEN201",
    "An object keeps a resource in an attribute, and nothing in its class closes it.",
    scene=judge,
)
