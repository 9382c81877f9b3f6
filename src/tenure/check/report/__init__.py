"""The forms a report can take, by the name that ``--format`` knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tenure.check.report import github, gitlab, json, sarif, text
from tenure.check.report.answer import Answer

__all__ = ["FORMATS", "Answer"]

FORMATS: Final[dict[str, Callable[[Answer], str]]] = {
    "text": text.render,
    "json": json.render,
    "sarif": sarif.render,
    "github": github.render,
    "gitlab": gitlab.render,
}
