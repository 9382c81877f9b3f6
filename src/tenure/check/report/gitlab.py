"""The report for GitLab's code quality widget: a JSON list of issues with lasting fingerprints."""

from __future__ import annotations

import json
from typing import Any, Final

from tenure.check.finding import Finding
from tenure.check.report.answer import Answer

__all__ = ["render"]

_SEVERITIES: Final = {"certain": "critical", "likely": "major"}


def render(answer: Answer) -> str:
    """The list that ``artifacts: reports: codequality`` takes."""
    names = answer.fingerprints()
    issues = [_issue(finding, answer.shown(finding), names[finding]) for finding in answer.report.findings]
    return json.dumps(issues, indent=1) + "\n"


def _issue(finding: Finding, path: str, fingerprint: str) -> dict[str, Any]:
    return {
        "description": finding.message,
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES.get(finding.certainty, "minor"),
        "location": {
            "path": path,
            "positions": {
                "begin": {"line": finding.line, "column": finding.column},
                "end": {"line": finding.end_line, "column": finding.column},
            },
        },
    }
