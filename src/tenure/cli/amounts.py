"""Numbers as an operator says them: what cannot be meant is refused before anything begins."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable

__all__ = ["at_least", "seconds"]


def at_least(least: int) -> Callable[[str], int]:
    """A whole number that is not less."""

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}")
        return int(text)

    return number


def seconds(text: str) -> float:
    """A time to wait."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return found
