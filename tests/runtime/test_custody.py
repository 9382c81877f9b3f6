"""The collector finds what only the custody holds, once, and everything comes back from every collection."""

from __future__ import annotations

import _thread
import gc
import types
import weakref
from collections.abc import Callable, Iterator

import pytest

from tenure.runtime.custody import Custody, Kept


class Thing:
    other: object = None


class Slotted:
    __slots__ = ("__weakref__",)


class Closing:
    """What a finalizer may still want to use: it ends when the collector finalizes it."""

    def __init__(self) -> None:
        self.open = True

    def __del__(self) -> None:
        self.open = False


class Keeper:
    """A custody, and what it was told."""

    def __init__(self) -> None:
        self.custody = Custody(self._found, lambda: None)
        self.found: list[tuple[object, int]] = []
        self.watched: dict[int, Kept] = {}

    def keep(self, obj: object) -> Kept:
        kept = Kept(obj, self.custody.dead.append)
        kept.key = id(obj)
        self.watched[kept.key] = kept
        self.custody.keep(kept, obj)
        return kept

    def _found(self, kept: Kept) -> None:
        self.found.append((self.custody.kept(kept.key), self.custody.number))
        self.custody.release(kept.key)


@pytest.fixture
def keeper(full_collection: Callable[[], None]) -> Iterator[Keeper]:
    keeper = Keeper()
    keeper.custody.start()
    yield keeper
    keeper.custody.stop()


def test_what_somebody_else_holds_comes_back(keeper: Keeper) -> None:
    things = [Thing() for _ in range(3)]
    for thing in things:
        keeper.keep(thing)
    gc.collect()
    assert keeper.found == []
    assert len(keeper.custody) == 3


def test_what_nobody_else_holds_is_found_alive(keeper: Keeper) -> None:
    thing = Thing()
    thing.other = "intact"
    kept, weak = keeper.keep(thing), weakref.ref(thing)
    del thing
    gc.collect()
    ((found, number),) = keeper.found
    assert isinstance(found, Thing)
    assert found.other == "intact"
    assert number == keeper.custody.number
    assert kept() is None
    assert weak() is None


def test_a_cycle_is_found_whole(keeper: Keeper) -> None:
    a, b = Thing(), Thing()
    a.other, b.other = b, a
    keeper.keep(a)
    keeper.keep(b)
    del a, b
    gc.collect()
    assert len(keeper.found) == 2


def test_an_object_with_slots_alone_is_found(keeper: Keeper) -> None:
    keeper.keep(Slotted())
    gc.collect()
    assert len(keeper.found) == 1


def test_it_takes_a_full_collection(keeper: Keeper) -> None:
    keeper.keep(Thing())
    gc.collect(1)
    assert keeper.found == []
    gc.collect()
    assert len(keeper.found) == 1


def test_the_number_is_the_one_the_collector_counts(keeper: Keeper) -> None:
    before = gc.get_stats()[2]["collections"]
    gc.collect()
    gc.collect(1)
    assert keeper.custody.number == before + 1


def test_what_a_found_object_refers_to_is_as_it_was(keeper: Keeper) -> None:
    thing = Thing()
    resource = Closing()
    thing.other, weak = [resource], weakref.ref(resource)
    keeper.keep(thing)
    del thing, resource
    gc.collect()
    assert weak() is not None
    assert weak().open  # type: ignore[union-attr]


def test_in_a_cycle_the_collector_finalizes_what_is_in_it(keeper: Keeper) -> None:
    """The other side of that rule, as the docs tell it."""
    thing = Thing()
    thing.other = [thing, Closing()]
    keeper.keep(thing)
    del thing
    gc.collect()
    assert not keeper.found[0][0].other[1].open  # type: ignore[attr-defined]


def test_what_one_found_object_refers_to_waits_for_its_turn(keeper: Keeper) -> None:
    outer, inner = Thing(), Thing()
    outer.other = [inner]
    keeper.keep(outer)
    keeper.keep(inner)
    del outer, inner
    gc.collect()
    assert [type(found).__name__ for found, _ in keeper.found] == ["Thing"]
    keeper.found.clear()
    gc.collect()
    assert len(keeper.found) == 1


def test_an_object_the_collector_does_not_follow_is_found_by_its_count(keeper: Keeper) -> None:
    code: types.CodeType | None = compile("1", "<here>", "eval")
    if gc.is_tracked(code):
        pytest.skip("a free-threaded build follows code objects, and lets none of them go")
    keeper.keep(code)
    gc.collect()
    assert keeper.found == []
    code = None
    gc.collect()
    assert len(keeper.found) == 1
    assert len(keeper.custody) == 0


def test_freezing_the_heap_hides_nothing_that_was_kept_before(keeper: Keeper) -> None:
    old = Thing()
    keeper.keep(old)
    gc.freeze()
    try:
        new = Thing()
        new.other = [Closing()]
        keeper.keep(new)
        del new
        gc.collect()
        assert len(keeper.found) == 1
        assert keeper.found[0][0].other[0].open  # type: ignore[attr-defined]
    finally:
        gc.unfreeze()
    keeper.found.clear()
    del old
    gc.collect()
    assert len(keeper.found) == 1


def test_a_kept_reference_that_dies_with_nothing_kept_is_told_too(keeper: Keeper) -> None:
    thing = Thing()
    kept = Kept(thing, keeper.custody.dead.append)
    kept.key = id(thing)
    del thing
    gc.collect()
    assert [found for found, _ in keeper.found] == [None]


class Interrupting:
    """Garbage in whose finalizer Ctrl-C falls, as it does when it is pressed during a long collection."""

    __del__ = staticmethod(_thread.interrupt_main)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_during_a_collection_loses_nothing(keeper: Keeper) -> None:
    held = [Thing() for _ in range(5)]
    for number in range(3):
        for thing in held:
            keeper.keep(thing)
        keeper.keep(Thing())
        trap = Interrupting()
        trap.me = trap  # type: ignore[attr-defined]
        del trap
        try:
            gc.collect()
            gc.collect()
        except KeyboardInterrupt:
            pass
        gc.collect()
        assert len(keeper.found) == number + 1
        assert len(keeper.custody) == 5


def test_purging_lets_go_of_what_is_not_wanted(keeper: Keeper) -> None:
    a, b = Thing(), compile("1", "<here>", "eval")
    keeper.keep(a)
    keeper.keep(b)
    keeper.custody.purge(lambda key: key == id(b))
    assert keeper.custody.kept(id(a)) is None
    assert keeper.custody.kept(id(b)) is b


def test_clearing_forgets_everything(keeper: Keeper) -> None:
    keeper.keep(Thing())
    keeper.keep(compile("1", "<here>", "eval"))
    keeper.custody.clear()
    gc.collect()
    assert len(keeper.custody) == 0
    assert [found for found, _ in keeper.found if found is not None] == []


def test_starting_twice_is_starting_once(keeper: Keeper) -> None:
    before = len(gc.callbacks)
    keeper.custody.start()
    assert len(gc.callbacks) == before
    keeper.custody.stop()
    keeper.custody.stop()
    assert len(gc.callbacks) == before - 1
