"""What the checker found: a place, a sentence, and the path that leads there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["CERTAINTIES", "Facts", "Finding", "Step"]

#: How sure a finding is, surest first.
CERTAINTIES: Final = ("certain", "likely", "possible")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the story: a line, and what happens there."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a fix needs to know of the acquisition. Lines count from 1, columns from 0, as in ``ast``."""

    function: str = ""  #: qualified name of the function around it; empty at module level
    variable: str | None = None  #: the local name the resource was bound to, if it was bound to one
    kind: str = ""  #: what was opened: "file", "socket", "descriptor", ...
    close: str = ""  #: how it is closed, ``{}`` standing for it: ``"{}.close()"``, ``"os.close({})"``
    managed: bool = False  #: whether ``with`` closes it
    start: tuple[int, int] = (0, 0)  #: where the acquiring statement begins
    end: tuple[int, int] = (0, 0)  #: where it ends
    call_start: tuple[int, int] = (0, 0)  #: where the acquiring call begins
    call_end: tuple[int, int] = (0, 0)  #: where it ends


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. Lines and columns count from 1."""

    rule: str
    code: str
    path: str
    line: int
    column: int
    end_line: int
    message: str
    certainty: str
    story: tuple[Step, ...]
    facts: Facts = field(default_factory=Facts)
