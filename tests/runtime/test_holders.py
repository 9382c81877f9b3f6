"""Who holds an object is told as a person would write it, wherever it is held."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tenure.runtime.holders import who_holds


class Row:
    def __init__(self, *args: object) -> None:
        self.args = args


class Shelf:
    """Holds rows in a class attribute."""

    best: object = None


ring: deque[object] = deque()
HERE = __name__


@pytest.fixture(autouse=True)
def _empty_ring() -> Iterator[None]:
    # The module stands in sys.modules under the name its functions know, as it would when it is run by itself.
    sys.modules.setdefault(HERE, sys.modules[Row.__module__])
    yield
    ring.clear()


def put_into_ring() -> weakref.ref[Row]:
    row = Row()
    ring.extend((1, 2, 3, Row(row)))
    return weakref.ref(row)


def told_of(weak: Callable[[], object], **arguments: Any) -> tuple[str, ...]:
    """Asks without a local or a rewritten assertion that would hold the object too."""
    return who_holds(weak(), **arguments)


def test_a_global_is_told_by_its_module() -> None:
    weak = put_into_ring()
    held = weak()
    names = who_holds(held, most=9)
    assert f"{HERE}.ring[3].args[0]" in names
    assert names[0].endswith("test_a_global_is_told_by_its_module(): local 'held'")


def test_without_a_local_the_global_is_all_there_is() -> None:
    weak = put_into_ring()
    assert told_of(weak) == (f"{HERE}.ring[3].args[0]",)


def test_a_local_is_told_by_its_function() -> None:
    def read_batch() -> tuple[str, ...]:
        row = Row()
        return who_holds(row)

    assert read_batch() == (f"{HERE}.test_a_local_is_told_by_its_function.<locals>.read_batch(): local 'row'",)


def test_a_container_in_a_local_is_told_with_the_way() -> None:
    def read_batch() -> tuple[str, ...]:
        rows = {"first": [Row()]}
        return who_holds(rows["first"][0])

    assert read_batch()[0].endswith("read_batch(): rows['first'][0]")


def test_a_class_attribute_is_told_by_its_class() -> None:
    Shelf.best = [Row()]
    try:
        assert told_of(lambda: Shelf.best[0]) == (f"{HERE}.Shelf.best[0]",)  # type: ignore[index]
    finally:
        Shelf.best = None


def test_a_local_of_another_thread_is_told() -> None:
    held, done = threading.Event(), threading.Event()
    weak: list[weakref.ref[Row]] = []

    def ingest() -> None:
        row = Row()
        weak.append(weakref.ref(row))
        held.set()
        done.wait()

    thread = threading.Thread(target=ingest)
    thread.start()
    held.wait()
    try:
        assert told_of(weak[0])[0].endswith("ingest(): local 'row'")
    finally:
        done.set()
        thread.join()


def test_a_thread_that_has_not_begun_is_told_by_its_name() -> None:
    row = Row()
    weak, thread = weakref.ref(row), threading.Thread(target=print, args=(row,), name="worker")
    del row
    assert "thread 'worker'._args[0]" in told_of(weak, most=9)
    assert thread.name == "worker"


def test_a_suspended_generator_is_told_with_its_local() -> None:
    def rows() -> Iterator[Row]:
        row = Row()
        yield row

    ring.append(rows())
    weak = weakref.ref(next(ring[0]))  # type: ignore[call-overload]
    assert told_of(weak) == (f"{HERE}.ring[0]: local 'row'",)


def test_a_function_that_raised_is_told_while_its_traceback_is_kept() -> None:
    def fail() -> None:
        row = Row()
        ring.append(weakref.ref(row))
        raise LookupError

    kept: BaseException | None = None
    try:
        fail()
    except LookupError as error:
        kept = error
    assert told_of(ring[0])[0].endswith("fail(), which has ended: row")  # type: ignore[arg-type]
    assert kept is not None


def test_a_module_made_by_hand_is_told() -> None:
    module = types.ModuleType("made_by_hand")
    sys.modules["made_by_hand"] = module
    try:
        module.row = Row()  # type: ignore[attr-defined]
        assert told_of(lambda: module.row) == ("made_by_hand.row",)
    finally:
        del sys.modules["made_by_hand"]


def test_what_belongs_to_the_asker_is_not_told() -> None:
    weak = put_into_ring()
    assert told_of(weak, ignoring=[ring]) == ()


def test_nobody_is_told_when_nobody_holds_it() -> None:
    row = Row()
    row.args = (row,)
    weak = weakref.ref(row)
    gc.disable()
    try:
        del row
        assert told_of(weak) == ()
    finally:
        gc.enable()
        gc.collect()


def test_asking_keeps_nothing_alive() -> None:
    def ask() -> weakref.ref[Row]:
        row = Row()
        who_holds(row)
        return weakref.ref(row)

    gc.disable()
    try:
        assert ask()() is None
    finally:
        gc.enable()


def test_asking_leaves_the_locals_of_others_alone() -> None:
    def count() -> tuple[dict[str, object], int]:
        row = Row()
        names = locals()
        who_holds(row)
        with contextlib.suppress(KeyError):
            del names["nothing"]
        return names, len(names)

    names, _ = count()
    assert "row" in names


def test_no_more_are_told_than_asked_for() -> None:
    row = Row()
    other = [row]
    weak = weakref.ref(row)
    ring.append(row)
    assert len(told_of(weak, most=9)) == 3
    assert len(told_of(weak, most=2)) == 2
    assert other == [row]
