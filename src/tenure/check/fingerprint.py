"""A name for a finding that survives the lines above it moving: what a baseline and a tracker remember it by."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tenure.check.finding import Finding
from tenure.check.lines import Lines, relative

__all__ = ["fingerprints"]


def fingerprints(findings: Iterable[Finding], lines: Lines, root: Path) -> dict[Finding, str]:
    """One short name for each finding, made of file, rule, function and the text of the line, not of its number."""
    seen: Counter[str] = Counter()
    names: dict[Finding, str] = {}
    for finding in findings:
        text = "".join(lines(finding.path)[finding.line - 1 : finding.line]).strip()
        key = "\0".join((relative(finding.path, root), finding.rule, finding.facts.function, text))
        names[finding] = hashlib.sha256(f"{key}\0{seen[key]}".encode(errors="replace")).hexdigest()[:32]
        seen[key] += 1
    return names
