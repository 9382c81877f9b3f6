"""How a report is drawn on a screen: its colours, where there are any, and its characters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Style", "printable"]

_COLOURS: Final = {
    "certain": "1;31",
    "likely": "1;33",
    "possible": "1;36",
    "path": "1",
    "frame": "34",
    "note": "1;35",
    "dim": "2",
    "good": "32",
    "added": "32",
    "removed": "31",
    "hunk": "36",
}

_LINE_ART: Final = {"bar": "│", "mark": "━", "gap": "⋮", "more": "…"}
_ASCII_ART: Final = {"bar": "|", "mark": "~", "gap": ":", "more": "..."}

#: Control characters would let a checked file write on the reader's screen; a tab has its place already.
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    """``text`` with what a screen would obey, rather than show, made visible; as long as before."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\t", " "))


@dataclass(frozen=True)
class Style:
    """What this screen can show."""

    colour: bool = False
    ascii: bool = False

    def paint(self, name: str, text: str) -> str:
        """``text`` in the colour of that name, where there are colours."""
        if not self.colour or not text or name not in _COLOURS:
            return text
        body = text.rstrip("\r\n")
        return f"\x1b[{_COLOURS[name]}m{body}\x1b[0m{text[len(body) :]}"

    def art(self, name: str) -> str:
        """The character of that name, as the screen can show it."""
        return (_ASCII_ART if self.ascii else _LINE_ART)[name]
