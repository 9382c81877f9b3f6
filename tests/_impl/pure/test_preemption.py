"""Every act of one thread, with every act of another in its midst, at each point where the interpreter may switch."""

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
from tenure._impl.pure.lease import Lease
from tenure.errors import AlreadyOwned, ClosedHandle, LeasedHandle

ROOM = str(Path(pure.__file__).parent)


class Resource:
    """What is owned: it notes in which order it and the others were freed, and a use that came too late."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name

    def free(self) -> None:
        self.world.freed.append(self.name)

    def use(self) -> None:
        assert self.name not in self.world.freed


class World:
    """A parent and its child, and whatever the two threads make of them."""

    def __init__(self) -> None:
        self.freed: list[str] = []
        self.detached: list[str] = []
        self.owned: list[str] = []
        self.opened: list[pure.Handle[Resource]] = []
        self.leases: list[Lease[Resource]] = []
        self.parent = self.open("parent", None)
        self.child = self.open("child", self.parent)

    def open(self, name: str, parent: pure.Handle[Any] | None) -> pure.Handle[Resource]:
        handle: pure.Handle[Resource] = pure.Handle.own(Resource(self, name), release=Resource.free, parent=parent)
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


def open_a_sibling(world: World) -> None:
    world.open("sibling", world.parent)


def open_below(world: World) -> None:
    world.open("grandchild", world.child)


def own_twice(world: World) -> None:
    with world.child.lease() as token, pytest.raises(AlreadyOwned):  # leased, so that it is not free to be owned again
        pure.Handle.own(token, release=Resource.free)


def look(world: World) -> None:
    assert repr(world.child).startswith("<Handle free handle")
    assert pure.counts().opened >= pure.counts().closed
    assert pure.entry_of(world.child).kind == "free"
    assert all(entry.kind for entry in pure.entries())


ACTS: tuple[Callable[[World], None], ...] = (
    close,
    close_the_parent,
    lease,
    lease_the_parent,
    give_back,
    use,
    detach,
    detach_the_parent,
    open_a_sibling,
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

    def step(frame: FrameType, event: str, _: object) -> Any:
        nonlocal came
        if event == "opcode" and frame.f_lasti in switches(frame.f_code) and next(seen) == at:
            came = True
            sys.settrace(None)
            attempt(other, world)
        return step

    def enter(frame: FrameType, event: str, _: object) -> Any:
        if came or not frame.f_code.co_filename.startswith(ROOM):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return step

    tracing = sys.gettrace()
    sys.settrace(enter)
    try:
        attempt(act, world)
    finally:
        sys.settrace(tracing)
    return came


def worlds(act: Callable[[World], None], other: Callable[[World], None], leased: bool) -> Iterator[World]:
    """What comes of ``other`` at each switch of ``act``, one after the other."""
    for at in count():
        world = World()
        if leased:
            lease(world)
        came = preempted(act, other, at, world)
        yield world
        if not came:
            return


def standing() -> tuple[int, ...]:
    """How much stands in the books."""
    return len(books.ledger), len(books.children), len(books.waiting), len(books.lost)


@pytest.mark.parametrize("leased", [False, True], ids=["free", "leased"])
@pytest.mark.parametrize("other", ACTS)
@pytest.mark.parametrize("act", ACTS)
def test_each_token_has_one_end_and_children_have_theirs_first(
    act: Callable[[World], None], other: Callable[[World], None], leased: bool
) -> None:
    before = standing()
    for world in worlds(act, other, leased):
        world.end()
        assert Counter(world.freed + world.detached) == Counter(world.owned)
        assert "parent" not in world.freed or world.freed[-1] == "parent"
        assert standing() == before
