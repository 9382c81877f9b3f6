"""The report as SARIF 2.1.0, which code scanning services read: rules, results, their stories as code flows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote

from tenure.check.finding import Finding, Step
from tenure.check.fix.edit import Fix
from tenure.check.report.answer import Answer
from tenure.check.rules import RULES

__all__ = ["render"]

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {"certain": "error", "likely": "warning"}


def render(answer: Answer) -> str:
    """One log with one run; paths are relative to ``SRCROOT``."""
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(answer)]}, indent=1) + "\n"


def _run(answer: Answer) -> dict[str, Any]:
    names = answer.fingerprints()
    rules = list(_rules(answer.report.findings))
    order = {rule["id"]: index for index, rule in enumerate(rules)}
    return {
        "tool": {"driver": {"name": "tenure", "semanticVersion": answer.version, "rules": rules}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"uri": answer.root.resolve().as_uri() + "/"}},
        "results": [_result(f, answer, names[f], order[f.code]) for f in answer.report.findings],
    }


def _rules(findings: Iterable[Finding]) -> Iterable[dict[str, Any]]:
    """Every rule there is, and what a finding names besides."""
    known = {rule.code: (rule.name, rule.sentence) for rule in RULES}
    extra = {f.code: (f.rule, f.rule) for f in findings if f.code not in known}
    for code, (name, sentence) in (known | extra).items():
        help_text = f"tenure check --explain {name}"
        yield {"id": code, "name": name, "shortDescription": {"text": sentence}, "help": {"text": help_text}}


def _result(finding: Finding, answer: Answer, fingerprint: str, index: int) -> dict[str, Any]:
    path = answer.shown(finding)
    result = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS.get(finding.certainty, "note"),
        "message": {"text": finding.message},
        "locations": [_location(path, finding.line, finding.column, finding.end_line)],
        "partialFingerprints": {"tenure/v1": fingerprint},
        "properties": {"certainty": finding.certainty},
    }
    if finding.story:
        result["codeFlows"] = [{"threadFlows": [{"locations": [_step(path, step) for step in finding.story]}]}]
    if finding in answer.fixes:
        result["fixes"] = [_fix(path, answer.fixes[finding])]
    return result


def _artifact(path: str) -> dict[str, str]:
    """Where a file is: below the root by a relative reference, else by a whole one."""
    quoted = quote(os.fsencode(path))
    return {"uri": f"file://{quoted}"} if path.startswith("/") else {"uri": quoted, "uriBaseId": "SRCROOT"}


def _location(path: str, line: int, column: int, end_line: int) -> dict[str, Any]:
    region = {"startLine": line, "startColumn": column}
    if end_line > line:
        region["endLine"] = end_line
    return {"physicalLocation": {"artifactLocation": _artifact(path), "region": region}}


def _step(path: str, step: Step) -> dict[str, Any]:
    place = {"artifactLocation": _artifact(path), "region": {"startLine": step.line}}
    return {"location": {"physicalLocation": place, "message": {"text": step.text}}}


def _fix(path: str, fix: Fix) -> dict[str, Any]:
    replacements = [
        {
            "deletedRegion": {"startLine": edit.line, "startColumn": 1, "endLine": edit.end_line, "endColumn": 1},
            "insertedContent": {"text": edit.text},
        }
        for edit in fix.edits
    ]
    return {
        "description": {"text": fix.title},
        "artifactChanges": [{"artifactLocation": _artifact(path), "replacements": replacements}],
    }
