"""A finalizer runs once, after a collection that began after its registration; it may resurrect, and cannot spin."""

from __future__ import annotations

import gc
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tenure
from tenure.errors import CapturedOwner, FinalizerFailed, SlowFinalizer
from tenure.runtime import abandoned, finalizers
from tenure.runtime.finalizers import Stage, history, keep_alive, set_finalizer
from tenure.runtime.patience import Patience

Collect = Callable[[], None]


class Thing:
    other: object = None


class Slotted:
    __slots__ = ("__weakref__", "name")
    name: Any


class Unreferable:
    __slots__ = ()


seen: list[object] = []  # a global, as a finalizer that resurrects uses one


@pytest.fixture
def collect(full_collection: Collect) -> Iterator[Collect]:
    seen.clear()
    yield full_collection
    seen.clear()


def see(obj: object) -> None:
    seen.append(obj)


def see_name(obj: Slotted) -> None:
    seen.append(obj.name)


def note(obj: object) -> None:
    seen.append("ran")


def stages(obj: object) -> list[Stage]:
    return [step.stage for step in history(obj)]


def test_it_runs_once_when_the_object_is_unreachable(collect: Collect) -> None:
    thing = Thing()
    set_finalizer(thing, note)
    collect()
    assert seen == []
    del thing
    assert seen == []
    for _ in range(3):
        collect()
        assert seen == ["ran"]


def test_the_object_is_alive_and_whole(collect: Collect) -> None:
    slotted = Slotted()
    slotted.name = "intact"
    set_finalizer(slotted, see_name)
    del slotted
    collect()
    assert seen == ["intact"]


def test_it_runs_on_the_release_thread(collect: Collect) -> None:
    def where(obj: object) -> None:
        seen.append(threading.current_thread().name)

    set_finalizer(Thing(), where)
    collect()
    assert seen == ["tenure-release"]


def test_the_object_dies_when_it_has_run(collect: Collect) -> None:
    died: list[str] = []

    def attach(obj: Thing) -> None:
        obj.other = witness = Thing()
        weakref.finalize(witness, died.append, "died").atexit = False

    set_finalizer(Thing(), attach)
    collect()
    assert died == ["died"]


def test_cyclic_garbage_is_finalized(collect: Collect) -> None:
    a = Thing()
    a.other = a
    set_finalizer(a, note)
    del a
    collect()
    assert seen == ["ran"]


def test_weak_references_are_cleared_when_it_is_queued(collect: Collect) -> None:
    thing = Thing()
    weak = weakref.ref(thing)
    set_finalizer(thing, lambda obj: seen.append(weak()))
    del thing
    collect()
    assert seen == [None]


def test_a_resurrected_object_has_no_finalizer(collect: Collect) -> None:
    set_finalizer(Thing(), see)
    collect()
    weak = weakref.ref(seen.pop())
    assert weak() is None
    collect()
    assert seen == []


def test_it_is_detached_before_it_runs(collect: Collect) -> None:
    def look(obj: object) -> None:
        seen.append((finalizers.armed(), stages(obj)))

    set_finalizer(Thing(), look)
    collect()
    assert seen == [(0, [Stage.ARMED, Stage.FOUND, Stage.RUNNING])]


def test_registered_anew_it_waits_for_a_collection_that_begins_later(collect: Collect) -> None:
    set_finalizer(Thing(), see)
    collect()
    thing = seen.pop()
    k = finalizers.collections()
    set_finalizer(thing, see)
    del thing
    abandoned.drain()
    assert seen == []
    collect()
    (thing,) = seen
    assert [(str(step.stage.value), step.collection) for step in history(thing)] == [
        ("armed", k - 1),
        ("found unreachable", k),
        ("running", k),
        ("done", k),
        ("resurrected", k),
        ("armed", k),
        ("found unreachable", k + 1),
        ("running", k + 1),
        ("done", k + 1),
        ("resurrected", k + 1),
    ]


def test_one_that_registers_itself_again_and_again_runs_once_a_cycle(collect: Collect) -> None:
    def again(obj: object) -> None:
        seen.append(finalizers.collections())
        if len(seen) < 5:
            set_finalizer(obj, again)

    set_finalizer(Thing(), again)
    begin = finalizers.collections()
    for _ in range(7):
        collect()
        abandoned.drain()
    assert seen == [begin + n for n in range(1, 6)]


def test_a_registration_during_a_collection_is_not_that_collections(collect: Collect) -> None:
    """Its garbage is resurrected and registered by a ``__del__`` while the collection is under way."""

    class Registering:
        def __init__(self, thing: Thing) -> None:
            self.thing = thing
            self.me = self

        def __del__(self) -> None:
            set_finalizer(self.thing, note)

    Registering(Thing())
    gc.collect()
    abandoned.drain()
    assert seen == []
    assert finalizers.armed() == 1
    collect()
    assert seen == ["ran"]


def test_the_second_registration_replaces_the_first(collect: Collect) -> None:
    thing = Thing()
    set_finalizer(thing, see)
    set_finalizer(thing, note)
    assert stages(thing) == [Stage.ARMED, Stage.ARMED]
    del thing
    collect()
    assert seen == ["ran"]


def test_none_removes_it(collect: Collect) -> None:
    thing = Thing()
    weak = weakref.ref(thing)
    set_finalizer(thing, note)
    set_finalizer(thing, None)
    set_finalizer(thing, None)
    assert stages(thing) == [Stage.ARMED, Stage.REMOVED]
    del thing
    assert weak() is None
    collect()
    assert seen == []


def test_none_removes_nothing_from_what_has_none() -> None:
    thing = Thing()
    set_finalizer(thing, None)
    assert history(thing) == ()


def test_none_has_no_effect_once_it_is_queued(collect: Collect) -> None:
    """As in Go: the registration ended when the object was found."""
    entered, go_on = threading.Event(), threading.Event()

    def blocking(obj: object) -> None:
        entered.set()
        go_on.wait()

    a, b = Thing(), Thing()
    a.other, b.other = b, a
    set_finalizer(a, note)

    class Holding:
        """Garbage that holds ``a`` and saves it, so that somebody has it while it is queued."""

        def __init__(self, thing: Thing) -> None:
            self.thing, self.me = thing, self

        def __del__(self) -> None:
            seen.append(self.thing)

    set_finalizer(Thing(), blocking)
    gc.collect()
    entered.wait()
    Holding(a)
    del a, b
    gc.collect()
    thing = seen.pop()
    assert stages(thing) == [Stage.ARMED, Stage.FOUND]
    set_finalizer(thing, None)
    go_on.set()
    abandoned.drain()
    assert seen == ["ran"]


def test_owner_first_when_one_holds_the_other(collect: Collect) -> None:
    outer, inner = Slotted(), Slotted()
    outer.name, inner.name = inner, "inner"

    def see_both(obj: Slotted) -> None:
        seen.append(("outer", obj.name.name))

    set_finalizer(inner, see_name)
    set_finalizer(outer, see_both)
    del outer, inner
    collect()
    assert seen == [("outer", "inner")]
    collect()
    assert seen == [("outer", "inner"), "inner"]


def test_a_handle_it_refers_to_is_still_open(collect: Collect) -> None:
    def close(obj: Thing) -> None:
        handle = obj.other
        assert isinstance(handle, tenure.Handle)
        seen.append(handle.closed)
        handle.close()

    thing, released = Thing(), []  # type: ignore[var-annotated]
    thing.other = tenure.own(1, release=released.append)
    set_finalizer(thing, close)
    del thing
    collect()
    assert seen == [False]
    assert released == [1]


def test_one_that_reaches_another_finalized_object_is_refused(collect: Collect) -> None:
    a, b = Thing(), Thing()
    a.other, b.other = [b], [a]
    set_finalizer(a, note)
    set_finalizer(b, note)
    del a, b
    with pytest.warns(FinalizerFailed) as caught:
        collect()
    assert seen == ["ran"]
    (warning,) = caught
    text = str(warning.message)
    assert "reaches Thing object 0x" in text
    assert "by obj.other[0], which has been finalized too" in text
    assert "Let one root own both: a Scope, or a handle with parent=. It will not run again." in text
    assert warning.filename == __file__


def test_an_object_finalized_by_an_earlier_collection_is_no_danger(collect: Collect) -> None:
    set_finalizer(Thing(), see)
    collect()
    pooled = seen[0]
    user = Thing()
    user.other = pooled
    set_finalizer(user, note)
    del user
    collect()
    assert seen == [pooled, "ran"]


def test_what_it_raises_is_reported_with_the_line_that_set_it(collect: Collect) -> None:
    def fail(obj: object) -> None:
        raise LookupError("no such pool")

    set_finalizer(Thing(), fail)
    line = fail.__code__.co_firstlineno + 3
    with pytest.warns(FinalizerFailed) as caught:
        collect()
    (warning,) = caught
    assert (warning.filename, warning.lineno) == (__file__, line)
    text = str(warning.message)
    assert text.startswith("the finalizer of Thing object 0x")
    assert f"test_finalizers.py:{line} in test_what_it_raises_is_reported" in text
    assert text.endswith("failed: LookupError: no such pool. It will not run again.")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whatever_it_raises_the_thread_goes_on(collect: Collect, error: type[BaseException]) -> None:
    def fail(obj: object) -> None:
        raise error

    set_finalizer(Thing(), fail)
    with pytest.warns(FinalizerFailed, match=error.__name__):
        collect()
    set_finalizer(Thing(), note)
    collect()
    assert seen == ["ran"]


def test_what_it_raises_keeps_nothing_alive(collect: Collect) -> None:
    def fail(obj: Thing) -> None:
        obj.other = witness = Thing()
        seen.append(weakref.ref(witness))
        raise LookupError

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        set_finalizer(Thing(), fail)
        collect()
    assert len(caught) == 1
    assert seen[0]() is None  # type: ignore[operator]


def test_a_failure_is_in_the_history(collect: Collect) -> None:
    def fail(obj: object) -> None:
        seen.append(obj)
        raise LookupError

    set_finalizer(Thing(), fail)
    with pytest.warns(FinalizerFailed):
        collect()
    assert stages(seen[0]) == [Stage.ARMED, Stage.FOUND, Stage.RUNNING, Stage.FAILED, Stage.RESURRECTED]


def test_one_that_blocks_is_reported_with_how_many_wait(collect: Collect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finalizers, "_patience", Patience(finalizers._complain, after=0.01))
    heard, entered = threading.Event(), threading.Event()
    told: list[warnings.WarningMessage] = []

    def hear(message: Warning, site: object) -> None:
        told.append(message)  # type: ignore[arg-type]
        heard.set()

    monkeypatch.setattr("tenure.runtime.report.show", hear)

    def block(obj: object) -> None:
        entered.set()
        heard.wait(60)

    first = Thing()
    set_finalizer(first, block)
    del first
    gc.collect()
    entered.wait(60)
    for _ in range(3):
        set_finalizer(Thing(), note)
    gc.collect()
    abandoned.drain()
    assert isinstance(told[0], SlowFinalizer)
    assert str(told[0]).startswith("the finalizer of Thing object 0x")
    assert "other(s) wait behind it. Hand long work to a thread of your own." in str(told[0])
    assert seen == ["ran"] * 3


def test_a_function_that_holds_its_object_is_refused_with_the_path() -> None:
    thing = Thing()
    with pytest.raises(CapturedOwner) as caught:
        set_finalizer(thing, lambda obj: print(thing))
    assert caught.value.path == "fn.__closure__[0] (thing)"
    assert history(thing) == ()


def test_a_bound_method_of_the_object_is_refused() -> None:
    class Selfish:
        def close(self, obj: object) -> None: ...

    selfish = Selfish()
    with pytest.raises(CapturedOwner, match=r"by fn\.__self__\."):
        set_finalizer(selfish, selfish.close)


def test_what_takes_no_weak_reference_is_refused_with_advice() -> None:
    with pytest.raises(
        TypeError, match=r"an object of type Unreferable takes no weak reference.* Add '__weakref__' to the __slots__"
    ):
        set_finalizer(Unreferable(), print)


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(TypeError, match="a finalizer must be callable, not int"):
        set_finalizer(Thing(), 3)  # type: ignore[call-overload]


def test_an_object_the_collector_does_not_follow_is_finalized(collect: Collect) -> None:
    code = compile("1", "<here>", "eval")
    if gc.is_tracked(code):
        pytest.skip("a free-threaded build follows code objects, and lets none of them go")
    set_finalizer(code, note)
    del code
    collect()
    assert seen == ["ran"]


def test_a_registration_newer_than_the_collection_waits(collect: Collect) -> None:
    """What no schedule of one thread can produce: the collection that finds it is no newer than the registration."""
    thing = Thing()
    set_finalizer(thing, note)
    registration = finalizers._armed[id(thing)]
    registration.since = finalizers.collections() + 1
    del thing
    collect()
    assert seen == []
    assert finalizers.armed() == 1
    collect()
    assert seen == ["ran"]


def test_history_remembers_the_newest_steps(collect: Collect) -> None:
    thing = Thing()
    for _ in range(100):
        set_finalizer(thing, note)
    assert len(history(thing)) == 64
    set_finalizer(thing, None)
    assert stages(thing)[-1] is Stage.REMOVED


def test_the_books_of_the_dead_are_closed(collect: Collect) -> None:
    for _ in range(10):
        thing = Thing()
        set_finalizer(thing, note)
        set_finalizer(thing, note)
        del thing
    collect()
    collect()
    assert len(seen) == 10
    assert finalizers.armed() == 0
    assert finalizers._pasts == {}
    assert len(finalizers._custody) == 0


def test_many_threads_at_once_lose_nothing_and_run_nothing_twice(collect: Collect) -> None:
    """Each object is registered twice, and every third one is let off, while collections go on."""
    count, threads = 60, 4
    ran: list[tuple[int, int]] = []

    def tell(obj: Slotted) -> None:
        ran.append(obj.name)

    def work(who: int) -> None:
        for number in range(count):
            obj = Slotted()
            obj.name = (who, number)
            set_finalizer(obj, print)
            set_finalizer(obj, tell)
            if number % 3 == 0:
                set_finalizer(obj, None)

    workers = [threading.Thread(target=work, args=(who,)) for who in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        while worker.is_alive():
            gc.collect()
            worker.join(0.01)
    for _ in range(10):  # without the GIL the count of a thread's object may lag behind
        collect()
    assert sorted(ran) == [(who, number) for who in range(threads) for number in range(count) if number % 3]
    assert finalizers.armed() == len(finalizers._custody) == 0


def test_a_step_reads_as_a_sentence() -> None:
    assert str(finalizers.Step(Stage.FOUND, 7)) == "found unreachable in collection 7"


def test_keep_alive_uses_its_argument(collect: Collect) -> None:
    thing = Thing()
    set_finalizer(thing, note)
    collect()
    assert seen == []
    keep_alive(thing)


def test_the_public_names_are_there() -> None:
    assert tenure.set_finalizer is set_finalizer
    assert tenure.keep_alive is keep_alive
    assert tenure.finalizers.history is history
