"""The report for GitLab has what its code quality widget asks for, and a fingerprint that lasts."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from tenure.check.finding import Finding
from tenure.check.report import FORMATS, Answer

Answering = Callable[..., Answer]


def test_an_issue_has_what_the_widget_asks_for(answering: Answering, leak: Finding) -> None:
    (issue,) = json.loads(FORMATS["gitlab"](answering(leak)))
    assert issue["description"] == "the file opened here is never closed"
    assert issue["check_name"] == "never-closed"
    assert issue["severity"] == "critical"
    assert issue["location"]["path"] == "ingest.py"
    assert issue["location"]["positions"]["begin"] == {"line": 3, "column": 9}


def test_the_fingerprint_stays_when_lines_are_put_in_above(answering: Answering, leak: Finding) -> None:
    (before,) = json.loads(FORMATS["gitlab"](answering(leak)))
    file = Path(leak.path)
    file.write_text("import os\n\n" + file.read_text("utf-8"), "utf-8")
    (after,) = json.loads(FORMATS["gitlab"](answering(dataclasses.replace(leak, line=5))))
    assert before["fingerprint"] == after["fingerprint"]
