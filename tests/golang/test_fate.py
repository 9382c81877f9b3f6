"""What becomes of an object is told from a story, state by state."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

from tenure.golang.answer import Answer, answer
from tenure.golang.fate import Change, as_svg, as_text, changes
from tenure.golang.parser import parse

Ask = Callable[..., Answer]
SVG = "{http://www.w3.org/2000/svg}"

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


def test_the_changes_are_told_one_a_line() -> None:
    assert as_text(told()).splitlines()[:3] == [
        "  reachable",
        "  unreachable  main: g = nil",
        "  queued       main: gc",
    ]


def test_the_changes_are_drawn_one_below_the_other() -> None:
    root = ElementTree.fromstring(as_svg(told(), "A"))
    texts = [text for text in root.iter(f"{SVG}text") if text.get("class") != "by"]
    assert [text.text for text in texts] == ["reachable", "unreachable", "queued", "unreachable", "freed"]
    assert len({text.get("x") for text in texts}) == 1


def test_what_comes_after_a_resurrection_is_drawn_beside_it() -> None:
    again = [*told()[:3], Change("resurrected", "f returns"), Change("unreachable", "kept = nil & more")]
    root = ElementTree.fromstring(as_svg(again, "A"))
    texts = list(root.iter(f"{SVG}text"))
    assert len({text.get("x") for text in texts if text.get("class") != "by"}) == 2
    assert texts[-1].text == "kept = nil & more"
