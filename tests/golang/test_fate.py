"""What becomes of an object is told from a story, state by state."""

from __future__ import annotations

from collections.abc import Callable

from tenure.golang.answer import Answer, answer
from tenure.golang.fate import Change, as_mermaid, changes
from tenure.golang.parser import parse

Ask = Callable[..., Answer]

PLAIN = """\
litmus plain
"An object that is dropped."
global g
heap { g = A; finalizer A }
threads main
  g = nil
  cycle 2
exists A
"""


def told() -> list[Change]:
    found = answer(parse(PLAIN))
    assert found.story is not None
    return changes(found.machine, found.story, "A")


def test_each_change_names_the_step_that_made_it() -> None:
    assert told() == [
        Change("reachable", ""),
        Change("unreachable", "main: g = nil"),
        Change("queued", "main: gc"),
        Change("unreachable", "finalizers: begin finalizer(A)"),
        Change("freed", "main: gc"),
    ]


def test_the_changes_are_drawn_as_a_diagram() -> None:
    lines = as_mermaid(told()).splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert lines[2] == "    reachable --> unreachable: main — g = nil"
