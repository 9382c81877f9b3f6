"""The report for programs: one JSON object that holds every finding with its story and its fix."""

from __future__ import annotations

import json
from typing import Any

from tenure.check.finding import Finding
from tenure.check.fix.edit import Fix
from tenure.check.report.answer import Answer

__all__ = ["render"]


def render(answer: Answer) -> str:
    """``{"findings": [...], "files": ..., "lines": ..., "seconds": ...}``; ``fix`` is null where none was asked for."""
    report = answer.report
    whole = {
        "findings": [_finding(finding, answer.fixes.get(finding)) for finding in report.findings],
        "files": report.files,
        "lines": report.lines,
        "seconds": round(report.seconds, 3),
    }
    return json.dumps(whole, indent=1, ensure_ascii=True) + "\n"


def _finding(finding: Finding, fix: Fix | None) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "code": finding.code,
        "path": finding.path,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "message": finding.message,
        "certainty": finding.certainty,
        "story": [{"line": step.line, "text": step.text} for step in finding.story],
        "fix": None if fix is None else _fix(fix),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "edits": [{"line": edit.line, "end_line": edit.end_line, "text": edit.text} for edit in fix.edits],
    }
