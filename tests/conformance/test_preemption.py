"""Every act on a family of handles, with every other in its midst: wherever anybody is called back, or may come."""

from __future__ import annotations

import dis
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count, pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

from tenure._impl import pure
from tenure._impl.pure import books
from tenure.errors import AlreadyOwned, ClosedHandle, LeasedHandle

from .conftest import Runtime

ROOM = str(Path(pure.__file__).parent)


def stay() -> None:
    """No other thread comes."""


class Resource:
    """What is owned. It is known by code in Python, in which another thread may come."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.freeing = False

    def __hash__(self) -> int:
        self.world.switch()
        return len(self.name)  # so that a sister has to be compared with the parent

    def __eq__(self, other: object) -> bool:
        self.world.switch()
        return self is other

    def use(self) -> None:
        assert not self.freeing


class Release:
    """A release function that another thread meets before, during and after it; it notes in which order it ended."""

    def __init__(self, world: World) -> None:
        self.world = world

    @property
    def __name__(self) -> str:
        self.world.switch()
        return "free"

    def __call__(self, resource: Resource) -> None:
        resource.freeing = True
        self.world.switch()
        self.world.freed.append(resource.name)
        self.world.switch()


class World:
    """A parent and its child, and whatever the two threads make of them."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.freed: list[str] = []
        self.detached: list[str] = []
        self.owned: list[str] = []
        self.opened: list[Any] = []
        self.leases: list[Any] = []
        self.switch: Callable[[], None] = stay  #: called wherever another thread may come
        self.release = Release(self)
        self.parent = self.open("parent", None)
        self.child = self.open("child", self.parent)

    def open(self, name: str, parent: Any) -> Any:
        def make() -> Resource:
            self.switch()
            return Resource(self, name)

        handle = self.runtime.Handle(make, release=self.release, parent=parent)
        self.owned.append(name)
        self.opened.append(handle)
        return handle

    def end(self) -> None:
        """Whoever has a lease may still use what it leases; then everything is given back and closed."""
        for lease in self.leases:
            lease.token.use()
        for lease in self.leases:
            lease.give_back()
        for handle in reversed(self.opened):
            handle.close()


def close(world: World) -> None:
    world.child.close()


def close_the_parent(world: World) -> None:
    world.parent.close()


def lease(world: World) -> None:
    world.leases.append(world.child.lease())


def lease_the_parent(world: World) -> None:
    world.leases.append(world.parent.lease())


def give_back(world: World) -> None:
    while world.leases:
        world.leases.pop().give_back()


def use(world: World) -> None:
    with world.child.lease() as token:
        token.use()


def detach(world: World) -> None:
    world.detached.append(world.child.detach().name)


def detach_the_parent(world: World) -> None:
    world.detached.append(world.parent.detach().name)


def open_a_sister(world: World) -> None:
    world.open("sister", world.parent)


def open_below(world: World) -> None:
    world.open("grandchild", world.child)


def own_twice(world: World) -> None:
    with world.child.lease() as token, pytest.raises(AlreadyOwned):  # leased, so that it is not free to be owned again
        world.runtime.Handle.own(token, release=world.release)


def look(world: World) -> None:
    module = world.runtime.module
    assert repr(world.child).startswith("<Handle free handle")
    assert module.counts().opened >= module.counts().closed
    assert module.entry_of(world.child).kind == "free"
    assert all(entry.kind for entry in module.entries())


ACTS: tuple[Callable[[World], None], ...] = (
    close,
    close_the_parent,
    lease,
    lease_the_parent,
    give_back,
    use,
    detach,
    detach_the_parent,
    open_a_sister,
    open_below,
    own_twice,
    look,
)


def attempt(act: Callable[[World], None], world: World) -> None:
    """The act, or its refusal."""
    try:
        act(world)
    except (ClosedHandle, LeasedHandle):
        pass


@cache
def switches(code: CodeType) -> frozenset[int]:
    """The offsets at which another thread may come: where a function starts, after a call, after a jump back."""
    steps = list(dis.get_instructions(code))
    return frozenset(
        after.offset
        for before, after in pairwise(steps)
        if before.opname.startswith("CALL") or before.opname in ("RESUME", "JUMP_BACKWARD")
    )


def preempted(act: Callable[[World], None], other: Callable[[World], None], at: int, world: World) -> bool:
    """Do ``act`` with ``other`` at its ``at``-th switch; whether there was one."""
    seen = count()
    came = False

    def switch() -> None:
        nonlocal came
        if not came and next(seen) == at:
            came = True
            attempt(other, world)

    world.switch = switch
    tracing = sys.gettrace()
    if world.runtime.name == "pure":
        sys.settrace(stepping(switch))
    try:
        attempt(act, world)
    finally:
        sys.settrace(tracing)
        world.switch = stay
    return came


def stepping(switch: Callable[[], None]) -> Callable[[FrameType, str, object], Any]:
    """A trace function that calls ``switch`` wherever another thread may come between two steps of the pure runtime."""

    def step(frame: FrameType, event: str, _: object) -> Any:
        if event == "opcode" and frame.f_lasti in switches(frame.f_code):
            switch()
        return step

    def enter(frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(ROOM):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return step

    return enter


def worlds(runtime: Runtime, act: Callable[[World], None], leased: bool) -> Iterator[tuple[str, World]]:
    """What comes of every other act at each switch of ``act``, and which it was."""
    for other in ACTS:
        for at in count():
            world = World(runtime)
            if leased:
                lease(world)
            came = preempted(act, other, at, world)
            yield f"{other.__name__} at switch {at} of {act.__name__}", world
            if not came:
                break


def standing() -> tuple[int, ...]:
    """How much stands in the books of the pure runtime."""
    return tuple(len(table) for table in (books.ledger, books.children, books.going, books.waiting, books.lost))


@pytest.mark.parametrize("leased", [False, True], ids=["free", "leased"])
@pytest.mark.parametrize("act", ACTS)
def test_each_token_has_one_end_and_children_have_theirs_first(
    runtime: Runtime, act: Callable[[World], None], leased: bool
) -> None:
    before = standing()
    for which, world in worlds(runtime, act, leased):
        world.end()
        assert Counter(world.freed + world.detached) == Counter(world.owned), which
        assert "parent" not in world.freed or world.freed[-1] == "parent", which
        assert (runtime.booked.open, standing()) == (0, before), which
