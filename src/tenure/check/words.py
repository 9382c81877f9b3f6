"""A set of words, written as one would write a sentence."""

from __future__ import annotations

__all__ = ["words"]


def words(text: str) -> frozenset[str]:
    """The words of a text; tables read better as prose than as a column of strings."""
    return frozenset(text.split())
