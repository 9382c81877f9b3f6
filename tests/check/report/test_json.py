"""The JSON report has exactly the keys that programs were promised."""

from __future__ import annotations

import json
from collections.abc import Callable

from tenure.check.finding import Finding
from tenure.check.fix.edit import Fix
from tenure.check.report import FORMATS, Answer

Answering = Callable[..., Answer]


def test_a_finding_has_every_promised_key_and_no_other(answering: Answering, leak: Finding) -> None:
    whole = json.loads(FORMATS["json"](answering(leak)))
    assert whole == {
        "findings": [
            {
                "rule": "never-closed",
                "code": "TEN101",
                "path": leak.path,
                "line": 3,
                "column": 9,
                "end_line": 3,
                "message": "the file opened here is never closed",
                "certainty": "certain",
                "story": [
                    {"line": 3, "text": "opened here"},
                    {"line": 4, "text": "this call may raise"},
                    {"line": 5, "text": "leaves without close"},
                ],
                "fix": None,
            }
        ],
        "files": 1,
        "lines": 5,
        "seconds": 0.25,
    }


def test_a_fix_is_a_title_and_line_edits(answering: Answering, leak: Finding, fix: Fix) -> None:
    whole = json.loads(FORMATS["json"](answering(leak, fixes={leak: fix})))
    assert whole["findings"][0]["fix"] == {
        "title": "open it in a with block",
        "edits": [
            {"line": 3, "end_line": 5, "text": "    with open(path) as f:\n        line = f.readline()\n"},
        ],
    }


def test_nothing_found_is_an_empty_list(answering: Answering) -> None:
    assert json.loads(FORMATS["json"](answering()))["findings"] == []
