"""A change of a file's text as line edits: what a fix is, once it has been worked out."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from tenure.check.lines import split

__all__ = ["Edit", "Fix", "applied", "edits_between", "unified"]


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines ``line`` up to, not including, ``end_line`` become ``text``; equal numbers insert before ``line``."""

    line: int
    end_line: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do about one finding, and the edits of the file as it stands that do it."""

    title: str  #: fit to be a menu entry: "open it in a with block"
    edits: tuple[Edit, ...]


def edits_between(before: str, after: str) -> tuple[Edit, ...]:
    """The line edits that turn ``before`` into ``after``."""
    old, new = split(before), split(after)
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        Edit(first + 1, last + 1, "".join(new[start:end]))
        for tag, first, last, start, end in matcher.get_opcodes()
        if tag != "equal"
    )


def applied(text: str, edits: Sequence[Edit]) -> str:
    """The text after the edits. Made for edits of what a parser gives back of ``text``, which may differ in a blank:
    lines that no edit touches stay as they were.
    """
    lines = split(text)
    for edit in sorted(edits, key=lambda edit: edit.line, reverse=True):
        lines[edit.line - 1 : edit.end_line - 1] = [edit.text]
    return "".join(lines)


def unified(before: str, after: str, path: str) -> str:
    """The change as ``diff -u`` and ``patch`` know it."""
    name = path.lstrip("/")
    lines = difflib.unified_diff(split(before), split(after), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n" for line in lines)
