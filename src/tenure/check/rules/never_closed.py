"""A resource that no path closes."""

from __future__ import annotations

from typing import Final

from tenure.check.rule import Rule

__all__ = ["RULE"]

RULE: Final = Rule("never-closed", "TEN101", "A resource is opened and no path closes it or hands it on.")
