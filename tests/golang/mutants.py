"""Rules and collectors that are wrong, each in one way: real runs and random programs have to show it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tenure.golang.collector import Collector

WRONG_RULES: list[tuple[str, dict[str, Any]]] = [
    ("go1.27", {"own_cleanup_goroutines": False}),
    ("go1.24", {"own_cleanup_goroutines": True}),
    ("go1.27", {"cleanup_checks_captures": False}),
    ("go1.25", {"cleanup_checks_captures": True}),
    ("go1.27", {"running_cleanup_keeps": True}),
    ("go1.27", {"weak_static_throws": True}),
    ("go1.24", {"weak_static_throws": False}),
    ("go1.21", {"pin_of_nil_panics": False}),
    ("go1.22", {"pin_of_nil_panics": True}),
    ("go1.27", {"second_finalizer_throws": False}),
    ("go1.27", {"parents_first": False}),
    ("go1.27", {"finalizer_goroutines": 2}),
    ("go1.27", {"cycles_survived": 1}),
]


def _weak_cleared_when_freed(collector: Collector, state: list[Any], value: int) -> None:
    cell = collector._layout.finalizer + value - 1
    function, *captures = state[cell]
    state[cell] = 0
    state[collector._layout.queue] += ((0, function, value, *captures),)


def _self_pointer_counts(collector: Collector, state: list[Any], found: list[int]) -> None:
    for index in range(collector._count):
        finalizer = state[collector._layout.finalizer + index]
        if finalizer:
            found += [*finalizer[1:], *collector._fields(state, index + 1)]


def _captures_do_not_count(collector: Collector, state: list[Any], found: list[int]) -> None:
    for index in range(collector._count):
        if state[collector._layout.finalizer + index]:
            found += [value for value in collector._fields(state, index + 1) if value != index + 1]


def _cleanups_lost(collector: Collector, state: list[Any], value: int) -> None:
    state[collector._layout.cleanups] = ()


def _pools_keep(collector: Collector, state: list[Any]) -> None:
    return


WRONG_COLLECTORS: list[tuple[str, Callable[..., None]]] = [
    ("_revive", _weak_cleared_when_freed),
    ("_finalizers", _self_pointer_counts),
    ("_finalizers", _captures_do_not_count),
    ("_queue_cleanups", _cleanups_lost),
    ("begin", _pools_keep),
]
