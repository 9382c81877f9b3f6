"""The answer as data, for programs: everything in it is what ``json`` can write."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tenure.explore.story import Story
from tenure.explore.verdict import Answer

__all__ = ["as_data", "story_as_data"]


def as_data(answer: Answer[Any]) -> dict[str, object]:
    """``answer``; stories as their schedules and labels, without the model's states."""
    return {
        "model": answer.model,
        "verdict": answer.verdict.value,
        "fault": answer.fault,
        "why_unfinished": answer.why_unfinished,
        "shortest": answer.shortest,
        "story": None if answer.story is None else story_as_data(answer.story),
        "others": {fault: story_as_data(story) for fault, story in answer.others.items()},
        "outcomes": [
            {"seen": seen, "count": outcome.count, "schedule": str(outcome.witness.schedule)}
            for seen, outcome in answer.outcomes.items()
        ],
        "effort": asdict(answer.effort),
    }


def story_as_data(story: Story[Any]) -> dict[str, object]:
    """``story``, step by step."""
    return {
        "schedule": str(story.schedule),
        "switches": story.schedule.switches,
        "fault": story.fault,
        "outcome": story.outcome,
        "steps": [{"thread": moment.move.thread, "does": moment.label} for moment in story.moments],
    }
