"""A bound that is reached is named, and the machine's meter reads real time and memory."""

from __future__ import annotations

from tenure.explore.bounds import Bounds, Machine


class Full:
    def seconds(self) -> float:
        return 0.0

    def megabytes(self) -> float:
        return 512.0


def test_each_bound_is_named_when_it_is_reached() -> None:
    assert Bounds(states=1000).reached(1000, 0, Full()) == "the bound of 1,000 states"
    assert Bounds(seconds=2.5).reached(1, 2.5, Full()) == "the bound of 2.5 seconds"
    assert Bounds(megabytes=512).reached(1, 0, Full()) == "the bound of 512 MB of memory"


def test_below_every_bound_nothing_is_reached() -> None:
    assert Bounds(states=2, seconds=1, megabytes=513).reached(1, 0.5, Full()) is None


def test_no_bound_is_never_reached() -> None:
    assert Bounds(states=None).reached(10**12, 10**9, Full()) is None


def test_the_machine_tells_what_a_python_process_at_least_holds() -> None:
    assert 1 < Machine().megabytes() < 1_000_000


def test_the_machines_clock_does_not_go_back() -> None:
    machine = Machine()
    assert machine.seconds() <= machine.seconds()
