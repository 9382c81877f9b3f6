"""Who asked about whom: of each module, what of other modules was looked at to judge it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenure.check.modules import Module

__all__ = ["EVERYBODY", "Look", "Trace"]

#: A look at a part of a module: the module's name, the kind of part, and which one.
Look = tuple[str, str, str]

#: Instead of a module's name: the look was at what all modules say together.
EVERYBODY = ""


class Trace:
    """Notes each look under the module in whose name it is made.

    What is worked out about a function or a class is worked out in the name of the module it stands in, whoever asks:
    the asker only looks at that function or class. So a chain of modules is noted link by link.
    """

    def __init__(self) -> None:
        self.asker: Module | None = None
        self.looks: dict[Module, set[Look]] = {}
        self._noted: set[Look] = set()

    def turn(self, asker: Module | None) -> Module | None:
        """From now on looks are made in this module's name; returns in whose name they were made before."""
        before, self.asker = self.asker, asker
        self._noted = set() if asker is None else self.looks.setdefault(asker, set())
        return before

    def look(self, name: str, kind: str, part: str = "") -> None:
        """Somebody looks at a part of a module. What a module sees of itself needs no note."""
        if self.asker is not None and name != self.asker.name:
            self._noted.add((name, kind, part))
