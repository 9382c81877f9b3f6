"""Threads, signals and the collector at once: each token is released once, never in use, and the books balance."""

from __future__ import annotations

import gc
import random
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tenure.errors import ClosedHandle, LeasedHandle

from .conftest import Runtime


@pytest.fixture(autouse=True)
def _often() -> Iterator[None]:
    """Threads take turns as often as the interpreter allows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


class Resource:
    """A token that knows whether it is used and how often it was released."""

    def __init__(self) -> None:
        self.users: list[int] = []
        self.released = 0
        self.wrong = ""

    def use(self, user: int) -> None:
        self.users.append(user)
        if self.released:
            self.wrong = "used after its release"
        self.users.remove(user)

    def free(self) -> None:
        if self.users:
            self.wrong = "released in use"
        self.released += 1


Shared = list[tuple[Resource, Any]]


def _close(runtime: Runtime, shared: Shared, resources: list[Resource], at: int) -> None:
    shared[at][1].close()


def _wait(runtime: Runtime, shared: Shared, resources: list[Resource], at: int) -> None:
    shared[at][1].close(wait=True, timeout=60)


def _open_child(runtime: Runtime, shared: Shared, resources: list[Resource], at: int) -> None:
    fresh = Resource()
    shared.append((fresh, runtime.Handle.own(fresh, release=Resource.free, parent=shared[at][1])))
    resources.append(fresh)


def _open(runtime: Runtime, shared: Shared, resources: list[Resource], at: int) -> None:
    fresh = Resource()
    resources.append(fresh)
    shared.append((fresh, runtime.Handle(lambda fresh=fresh: fresh, release=Resource.free)))


def _drop(runtime: Runtime, shared: Shared, resources: list[Resource], at: int) -> None:
    lost = Resource()
    resources.append(lost)
    runtime.Handle.own(lost, release=Resource.free)


def _detach(runtime: Runtime, shared: Shared, resources: list[Resource], at: int) -> None:
    shared[at][1].detach().free()


def _use(runtime: Runtime, shared: Shared, resources: list[Resource], at: int) -> None:
    with shared[at][1].lease() as token:
        token.use(threading.get_ident())


def _look(runtime: Runtime, shared: Shared, resources: list[Resource], at: int) -> None:
    for entry in runtime.module.entries():
        assert entry.kind
    counts = runtime.module.counts()
    assert counts.opened >= counts.closed
    assert repr(shared[at][1])


_ACTS = (_close, _wait, _open_child, _open, _drop, _detach, _look, _use, _use, _use)


def _live(runtime: Runtime, seed: int, shared: Shared, resources: list[Resource]) -> None:
    """One thread's life: it uses, closes and gives away what others made, makes its own, and looks at the ledger."""
    chance = random.Random(seed)
    for _ in range(150):
        try:
            chance.choice(_ACTS)(runtime, shared, resources, chance.randrange(len(shared)))
        except (ClosedHandle, LeasedHandle):
            pass


@pytest.mark.parametrize("seed", range(3))
def test_threads_that_open_lease_close_and_drop_release_everything_once(runtime: Runtime, seed: int) -> None:
    resources = [Resource()]
    shared = [(resources[0], runtime.Handle.own(resources[0], release=Resource.free))]
    threads = [
        threading.Thread(target=_live, args=(runtime, 10 * seed + number, shared, resources)) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _, handle in list(shared):
        handle.close()
    shared.clear()
    del handle
    runtime.drain()
    assert Counter(resource.released for resource in resources) == {1: len(resources)}
    assert [resource.wrong for resource in resources if resource.wrong] == []
    booked = runtime.booked
    assert booked.opened == booked.closed + booked.detached == len(resources)


def test_many_threads_closing_one_handle_release_it_once(runtime: Runtime) -> None:
    for _ in range(30):
        resource = Resource()
        handle = runtime.Handle.own(resource, release=Resource.free)
        gate = threading.Barrier(4)

        def close(handle: Any = handle, gate: threading.Barrier = gate) -> None:
            gate.wait()
            handle.close()

        threads = [threading.Thread(target=close) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert resource.released == 1


class _Interrupt(Exception):
    pass


def _interrupt(*_: object) -> None:
    raise _Interrupt


@pytest.mark.timeout(120, method="thread")  # the other method needs SIGALRM for itself
@pytest.mark.parametrize("way", ["with", "close", "drop"])
def test_no_interrupt_loses_a_token(runtime: Runtime, way: str) -> None:
    if runtime.name == "pure":
        pytest.skip("a finalizer in Python can be interrupted itself; hazard k holds what the pure one promises")
    tokens = iter(range(10**9))
    _once(runtime, tokens.__next__, "close")  # the release thread is started at the first one
    before = signal.signal(signal.SIGALRM, _interrupt)
    gc.disable()  # an interrupt in somebody's callback of the collector would be swallowed there
    try:
        for number in range(500):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.00002 + number % 97 * 1e-6)
                for _ in range(100):
                    _once(runtime, tokens.__next__, way)
                for _ in range(10**6):
                    pass  # it will come
            except _Interrupt:
                pass
    finally:
        gc.enable()
        signal.signal(signal.SIGALRM, before)
    runtime.drain()
    assert sorted(runtime.released) == list(range(next(tokens)))


def _once(runtime: Runtime, factory: Any, way: str) -> None:
    """Open, and let go in that way; factory and release are in C, as most are."""
    if way == "with":
        with runtime.Handle(factory, release=runtime.released.append):
            pass
    elif way == "close":
        runtime.Handle(factory, release=runtime.released.append).close()
    else:
        runtime.Handle(factory, release=runtime.released.append)
