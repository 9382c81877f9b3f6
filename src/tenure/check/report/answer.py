"""All that a report is made of: what was found, what can be fixed, and what the reader's screen can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tenure.check.engine import Report
from tenure.check.finding import Finding
from tenure.check.fingerprint import fingerprints
from tenure.check.fix.edit import Fix
from tenure.check.lines import Lines, read_lines, relative

__all__ = ["Answer"]


@dataclass(frozen=True)
class Answer:
    """What a renderer is given; it turns this into text and knows of nothing else."""

    report: Report
    root: Path  #: paths are shown as seen from here
    version: str = "0"
    fixes: Mapping[Finding, Fix] = field(default_factory=dict)
    lines: Lines = read_lines
    colour: bool = False
    width: int = 100
    ascii: bool = False  #: the screen cannot show box-drawing characters

    def shown(self, finding: Finding) -> str:
        """The finding's path as a person wants to read it."""
        return relative(finding.path, self.root)

    def fingerprints(self) -> dict[Finding, str]:
        """A lasting name for each finding."""
        return fingerprints(self.report.findings, self.lines, self.root)
