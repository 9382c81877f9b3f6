"""The SARIF report validates against the standard's schema and says what the finding says."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tenure.check.finding import Finding
from tenure.check.fix.edit import Fix
from tenure.check.report import FORMATS, Answer
from tenure.check.rules import RULES

Answering = Callable[..., Answer]
SCHEMA = json.loads((Path(__file__).parents[1] / "data" / "sarif-2.1.0.schema.json").read_text("utf-8"))


def log(answer: Answer) -> Any:
    whole = json.loads(FORMATS["sarif"](answer))
    jsonschema.Draft4Validator(SCHEMA).validate(whole)
    return whole["runs"][0]


def test_the_schema_refuses_what_is_no_log() -> None:
    with pytest.raises(jsonschema.ValidationError, match="'runs' is a required property"):
        jsonschema.Draft4Validator(SCHEMA).validate({"version": "2.1.0"})


def test_a_log_without_findings_is_valid_and_lists_every_rule(answering: Answering) -> None:
    run = log(answering())
    assert run["results"] == []
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [rule.code for rule in RULES]


def test_a_result_points_at_the_place_by_a_path_from_the_root(answering: Answering, leak: Finding) -> None:
    place = log(answering(leak))["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "ingest.py", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 3, "startColumn": 9}


def test_the_story_is_a_code_flow(answering: Answering, leak: Finding) -> None:
    (flow,) = log(answering(leak))["results"][0]["codeFlows"]
    steps = [step["location"] for step in flow["threadFlows"][0]["locations"]]
    assert [step["physicalLocation"]["region"]["startLine"] for step in steps] == [3, 4, 5]
    assert steps[-1]["message"]["text"] == "leaves without close"


def test_the_index_of_a_result_leads_to_its_rule(answering: Answering, leak: Finding) -> None:
    run = log(answering(leak, dataclasses.replace(leak, rule="made-up", code="TEN999")))
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == ["TEN101", "TEN999"]


def test_a_fix_replaces_whole_lines(answering: Answering, leak: Finding, fix: Fix) -> None:
    result = log(answering(leak, fixes={leak: fix}))["results"][0]
    (replacement,) = result["fixes"][0]["artifactChanges"][0]["replacements"]
    assert replacement["deletedRegion"] == {"startLine": 3, "startColumn": 1, "endLine": 5, "endColumn": 1}


def test_a_file_outside_the_root_keeps_its_whole_path(answering: Answering, leak: Finding) -> None:
    elsewhere = dataclasses.replace(leak, path="/somewhere else/a.py")
    place = log(answering(elsewhere))["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "file:///somewhere%20else/a.py"}


@pytest.mark.parametrize(("certainty", "level"), [("certain", "error"), ("likely", "warning"), ("possible", "note")])
def test_the_less_certain_the_lower_the_level(answering: Answering, leak: Finding, certainty: str, level: str) -> None:
    assert log(answering(dataclasses.replace(leak, certainty=certainty)))["results"][0]["level"] == level
