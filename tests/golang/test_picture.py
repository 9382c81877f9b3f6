"""A state is drawn with its roots, objects, queues, native blocks and what was told."""

from __future__ import annotations

from tenure.explore import Drawing, Edge, Node, Schedule, replay
from tenure.golang.parser import parse
from tenure.golang.picture import DrawnMachine
from tenure.golang.rules import RULES

TEST = parse("""\
litmus drawn
"Drawn."
global g w
heap { A.mem = malloc KEY; A.next = B; finalizer A f[B]; w = weak A; main.p = B; g = A }
func f(a) [b] { free a.mem; keepalive b }
threads main
  g = nil
  gc
  say done
  keepalive p
observe events B
exists done
""")


def drawn(schedule: str) -> Drawing:
    machine = DrawnMachine(TEST, RULES["go1.27"], tells=False)
    return machine.draw(replay(machine, Schedule.parse(schedule)).states[-1])


def test_the_start_shows_who_holds_what() -> None:
    start = drawn("@0")
    assert Node("A", "A · f set", "object") in start.nodes
    assert Node("KEY", "KEY (C)", "native") in start.nodes
    assert Node("g", "g", "root") in start.nodes
    for edge in (
        Edge("g", "A"), Edge("w", "A", "weak"), Edge("A", "B", "next"), Edge("A", "B", "captured"),
        Edge("A", "KEY", "mem"), Edge("main.p", "B"),
    ):  # fmt: skip
        assert edge in start.edges


def test_after_a_cycle_the_queue_holds_the_object_and_the_weak_pointer_is_nil() -> None:
    after = drawn("main-main")
    assert Node("queue 3 0", "queued f(A)", "queue") in after.nodes
    assert Edge("queue 3 0", "A") in after.edges
    assert not any(edge.label == "weak" for edge in after.edges)
    assert after.notes == ("cycle 1",)


def test_a_running_finalizer_and_a_freed_block_are_shown() -> None:
    running = drawn("main-main-finalizers-finalizers-finalizers")
    assert Node("finalizers", "running f(A)", "queue") in running.nodes
    assert Node("KEY", "KEY (C) freed", "dead") in running.nodes
    assert running.notes == ("cycle 1", "told: f")


def test_the_end_is_told() -> None:
    assert drawn("main-main-main-main-main").notes[-1] == "end: exit"
