"""A module as a remedy leaves it."""

from __future__ import annotations

from dataclasses import dataclass

import libcst as cst

__all__ = ["Change"]


@dataclass(frozen=True)
class Change:
    """What was done, fit to be a menu entry, and the module it leads to."""

    title: str
    module: cst.Module
