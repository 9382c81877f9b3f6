"""Syntax by the Python that first had it: what a line that cannot be read may have been written for."""

from __future__ import annotations

import re
import sys
from typing import Final

__all__ = ["newer_python"]

_ASSIGNED: Final = r"\s*(?:\[[^\]]*\]\s*)?=(?!=)"

#: The oldest Python that reads such a line. Only lines that the running one could not read are held against it.
_FIRST_READ: Final = tuple(
    (version, re.compile(pattern))
    for version, pattern in (
        ((3, 15), r"^\s*lazy\s+(?:import|from)\b"),
        ((3, 15), r"[\[({]\s*\*\*?[^,]*\sfor\s"),
        ((3, 14), r"\b(?:[tT][rR]?|[rR][tT])(?:\"|')"),
        ((3, 14), r"^\s*except\*?\s+[\w.]+\s*,\s*(?:\w+\.)*[A-Z]\w*.*:"),  # ``except A, e`` is Python 2
        ((3, 13), r"^\s*(?:(?:async\s+)?def|class|type)\s+\w+\s*\[[^\]]*\w[^\]]*[^=!<>:]=(?!=)"),
        ((3, 12), r"^\s*(?:(?:async\s+)?def|class)\s+\w+\s*\["),
        ((3, 12), rf"^\s*type\s+\w+{_ASSIGNED}"),
        ((3, 12), r"\b(?:[fF][rR]?|[rR][fF])(?:\"|')"),
    )
)


def newer_python(line: str, running: tuple[int, int] = sys.version_info[:2]) -> str:
    """``"3.14"`` where the line looks like syntax of that Python and the running one is older; else nothing."""
    fitting = (version for version, pattern in _FIRST_READ if version > running and pattern.search(line))
    return ".".join(map(str, next(fitting, ())))
