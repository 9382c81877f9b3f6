"""Each example runs as a user would run it, and prints what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"


def output_of(name: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_the_story_of_a_resurrected_object() -> None:
    story = output_of("resurrection.py")
    steps = [line.split(maxsplit=1) for line in story.splitlines() if line[:5].strip().isdigit()]
    first = int(steps[1][0])
    assert [(int(number) - first, stage) for number, stage in steps] == [
        (-2, "armed"),
        (0, "found unreachable"),
        (0, "running"),
        (0, "done"),
        (0, "resurrected"),
        (0, "armed"),
        (1, "found unreachable"),
        (1, "running"),
        (1, "done"),
        (1, "resurrected"),
    ]
    told = story.index("nothing runs: no full collection has begun since")
    assert story.index("fn(db) runs") < told < story.rindex("fn(db) runs")
    assert story.endswith(f"Found in collection {first}, and again in {first + 1}: never twice in one.\n")
