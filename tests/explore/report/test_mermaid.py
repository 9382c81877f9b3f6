"""A small model is drawn whole, a story alone where the model is large, and what is too large is refused."""

from __future__ import annotations

import pytest
from tests.explore.programs import Counters, LostUpdate

from tenure.explore.explorer import explore
from tenure.explore.report.mermaid import TooManyNodes, as_mermaid
from tenure.explore.schedule import Schedule
from tenure.explore.story import replay


def test_a_small_model_is_drawn_with_its_story_marked() -> None:
    lines = as_mermaid(LostUpdate(2), explore(LostUpdate(2)).story).splitlines()
    assert lines[:2] == ["flowchart TD", "    s0((0))"]
    assert '    s0 -->|"p0: read 0"| s1' in lines
    assert sum("-->" in line for line in lines) == 14
    assert sum(line.startswith("    linkStyle ") for line in lines) == 1
    assert sum("fill:#f6c8c2" in line for line in lines) == 1


def test_of_a_large_model_the_story_alone_is_drawn() -> None:
    model = Counters(3, 4)
    lines = as_mermaid(model, replay(model, Schedule.parse("p0-p1"))).splitlines()
    assert lines == [
        "flowchart TD",
        "    s0((0))",
        "    s1((1))",
        "    s2((2))",
        '    s0 -->|"p0: add one"| s1',
        '    s1 -->|"p1: add one"| s2',
        "    linkStyle 0,1 stroke:#c0392b,stroke-width:3px",
    ]


def test_a_large_model_without_a_story_is_refused() -> None:
    with pytest.raises(TooManyNodes, match="counters has 60 states or more, and no story to draw alone"):
        as_mermaid(Counters(3, 4))


def test_a_story_that_is_too_long_is_refused() -> None:
    model = Counters(1, 80)
    with pytest.raises(TooManyNodes, match="the story has 71 states, 59 can be drawn; try --format html"):
        as_mermaid(model, replay(model, Schedule.parse("-".join(["p0"] * 70))))


def test_quotes_in_labels_cannot_end_them() -> None:
    class Quoting(Counters):
        def outcome(self, state: tuple[int, ...]) -> str:
            return 'at "one"'

    assert '["at #quot;one#quot;"]' in as_mermaid(Quoting(1, 1))
