"""The checker's front door: files in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tenure.check.config import Config
from tenure.check.finding import Finding

__all__ = ["Report", "check", "check_source"]


@dataclass(frozen=True)
class Report:
    """What one run found, and how much it read."""

    findings: tuple[Finding, ...]
    files: int
    lines: int
    seconds: float


def check(
    paths: Sequence[Path],
    config: Config,
    *,
    progress: Callable[[int, int, str], None] | None = None,
    jobs: int = 1,
    cache: Path | None = None,
) -> Report:
    """Check every Python file of ``paths``; ``progress`` hears (done, all, path) after each file."""
    raise NotImplementedError


def check_source(text: str, path: str, config: Config) -> tuple[Finding, ...]:
    """Check one text as the file ``path``; the other files of its package are read from disk where it uses them."""
    raise NotImplementedError
