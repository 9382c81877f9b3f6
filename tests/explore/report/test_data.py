"""The answer as data is what JSON can carry, and carries the same schedules."""

from __future__ import annotations

import json

from tests.explore.programs import Counters, LostUpdate

from tenure.explore.explorer import explore
from tenure.explore.report.data import as_data


def test_a_broken_answer_survives_json() -> None:
    data = as_data(explore(LostUpdate(2)))
    assert json.loads(json.dumps(data)) == data
    assert data["verdict"] == "broken"
    assert data["story"] == {
        "schedule": "p0-p1-p1-p0",
        "switches": 2,
        "fault": "an addition was lost",
        "outcome": "number=1",
        "steps": [
            {"thread": "p0", "does": "read 0"},
            {"thread": "p1", "does": "read 0"},
            {"thread": "p1", "does": "write 1"},
            {"thread": "p0", "does": "write 1"},
        ],
    }


def test_an_answer_that_holds_has_no_story_and_tells_its_effort() -> None:
    data = as_data(explore(Counters(1, 2)))
    assert (data["story"], data["fault"], data["why_unfinished"]) == (None, None, None)
    assert data["outcomes"] == [{"seen": "all at the top", "count": 1, "schedule": "p0-p0"}]
    effort = data["effort"]
    assert isinstance(effort, dict)
    assert (effort["states"], effort["steps"], effort["depth"]) == (3, 2, 2)
