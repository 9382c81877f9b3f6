"""Random graphs of captures, resurrections, re-registrations and drops behave as a small reference model says."""

from __future__ import annotations

import functools
import gc
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tenure.errors import CapturedOwner, FinalizerFailed, TenureWarning
from tenure.runtime import abandoned, finalizers, report
from tenure.runtime.finalizers import set_finalizer

Name = int

#: What a finalizer does besides being noticed.
DOES = st.sampled_from(["nothing", "save", "again", "save and again"])


#: Which of four objects are meant.
MASKS = st.lists(st.booleans(), min_size=4, max_size=4)

SHAPES: dict[str, Callable[[list[Name]], Iterable[tuple[Name, Name]]]] = {
    "chain": itertools.pairwise,
    "ring": lambda names: zip(names, [*names[1:], names[0]], strict=True),
    "star": lambda names: ((names[0], name) for name in names[1:]),
    "mesh": lambda names: itertools.permutations(names, 2),
}


class Model:
    """What should happen. An object is *held* by the program, *armed*, or kept by others; or it is gone."""

    def __init__(self) -> None:
        self.held: set[Name] = set()
        self.edges: dict[Name, set[Name]] = {}  # of everything that exists
        self.armed: dict[Name, tuple[str, frozenset[Name]]] = {}  # what the finalizer does, what it captures

    def reach(self, starts: Iterable[Name]) -> set[Name]:
        reached: set[Name] = set()
        todo = list(starts)
        while todo:
            name = todo.pop()
            if name not in reached:
                reached.add(name)
                todo.extend(self.edges[name])
        return reached

    @property
    def captured(self) -> set[Name]:
        return {name for _, captures in self.armed.values() for name in captures}

    def is_referred_to(self, name: Name) -> bool:
        return name in self.held or name in self.captured or any(name in to for to in self.edges.values())

    def count(self) -> None:
        """Reference counting: what is neither referred to nor armed goes at once, and what only it referred to."""
        while gone := [name for name in self.edges if name not in self.armed and not self.is_referred_to(name)]:
            for name in gone:
                del self.edges[name]

    def collect(self) -> dict[Name, tuple[str, frozenset[Name]]]:
        """One full collection: the registrations whose objects it finds, which end here; other garbage goes."""
        alone = [name for name in self.armed if not self.is_referred_to(name)]
        sheltered = {child for name in alone for child in self.edges[name]}
        live = self.reach(self.held | self.captured | sheltered)
        found = {name: self.armed.pop(name) for name in list(self.armed) if name not in live}
        kept = live | self.reach(found)
        self.edges = {name: to for name, to in self.edges.items() if name in kept}
        return found

    def run(self, found: dict[Name, tuple[str, frozenset[Name]]], order: list[tuple[str, Name]]) -> None:
        """The queued finalizers, in the order that they had, which is not promised; what became of each is checked."""
        assert sorted(name for _, name in order) == sorted(found)
        done: set[Name] = set()
        for what, name in order:
            is_unsafe = bool((self.reach([name]) - {name}) & done)
            assert what == ("refused" if is_unsafe else "ran")
            if not is_unsafe:
                done.add(name)
                self._act(name, found[name])
        self.count()

    def _act(self, name: Name, registration: tuple[str, frozenset[Name]]) -> None:
        does, captures = registration
        if "save" in does:
            self.held.add(name)
        if "again" in does and name not in self.reach(captures):
            self.armed[name] = registration


class Node:
    """The real thing."""

    def __init__(self, name: Name) -> None:
        self.name = name
        self.to: dict[Name, Node] = {}


class World:
    """What the finalizers see; a global, so that having it is no capture."""

    def __init__(self) -> None:
        self.held: dict[Name, Node] = {}
        self.log: list[tuple[str, Name]] = []

    def show(self, warning: TenureWarning, site: object) -> None:
        """Instead of a report."""
        assert isinstance(warning, FinalizerFailed)
        assert "FinalizedReference" in str(warning)
        self.log.append(("refused", int(str(warning.owner).partition("#")[2])))


world = World()


def act(does: str, captures: tuple[Node, ...], node: Node) -> None:
    world.log.append(("ran", node.name))
    if "save" in does:
        world.held[node.name] = node
    if "again" in does:
        try:
            set_finalizer(node, functools.partial(act, does, captures))
        except CapturedOwner:
            pass


def existing() -> set[Name]:
    return {obj.name for obj in gc.get_objects() if type(obj) is Node}


class Finalization(RuleBasedStateMachine):
    """Drives the real thing and the model side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.names = iter(range(1_000_000))
        self.patch = pytest.MonkeyPatch()

    @initialize()
    def begin(self) -> None:
        global world
        world = World()
        self.patch.setattr(report, "show", lambda *args: world.show(*args))
        self.patch.setattr(finalizers, "_named", lambda obj: f"#{obj.name}")
        gc.disable()
        gc.freeze()

    def teardown(self) -> None:
        world.held.clear()
        finalizers._in_child()  # which forgets everything that is armed or queued
        gc.unfreeze()
        gc.enable()
        self.patch.undo()

    def pick(self, data: Any) -> Name:
        return data.draw(st.sampled_from(sorted(self.model.held)))  # type: ignore[no-any-return]

    def something_held(self) -> bool:
        return bool(self.model.held)

    @rule()
    def make(self) -> None:
        self._make(next(self.names))

    def _make(self, name: Name) -> None:
        world.held[name] = Node(name)
        self.model.held.add(name)
        self.model.edges[name] = set()

    @rule(data=st.data())
    @precondition(something_held)
    def link(self, data: Any) -> None:
        self._link(self.pick(data), self.pick(data))

    def _link(self, source: Name, target: Name) -> None:
        world.held[source].to[target] = world.held[target]
        self.model.edges[source].add(target)

    @rule(data=st.data())
    @precondition(something_held)
    def unlink(self, data: Any) -> None:
        source = self.pick(data)
        if not self.model.edges[source]:
            return
        target = data.draw(st.sampled_from(sorted(self.model.edges[source])))
        del world.held[source].to[target]
        self.model.edges[source].remove(target)
        self.model.count()

    @rule(data=st.data())
    @precondition(something_held)
    def take(self, data: Any) -> None:
        """Hold what something held refers to."""
        source = self.pick(data)
        for target in sorted(self.model.edges[source]):
            world.held[target] = world.held[source].to[target]
            self.model.held.add(target)

    @rule(data=st.data())
    @precondition(something_held)
    def drop(self, data: Any) -> None:
        self._drop(data.draw(st.sets(st.sampled_from(sorted(self.model.held)), min_size=1)))

    def _drop(self, names: Iterable[Name]) -> None:
        for name in names:
            del world.held[name]
            self.model.held.remove(name)
        self.model.count()

    @rule(shape=st.sampled_from(["chain", "ring", "star", "mesh"]), does=DOES, armed=MASKS, kept=MASKS)
    def make_shape(self, shape: str, does: str, armed: list[bool], kept: list[bool]) -> None:
        """Several objects at once, some armed and most dropped, as random steps alone seldom come to that."""
        names = [next(self.names) for _ in armed]
        for name in names:
            self._make(name)
        for source, target in SHAPES[shape](names):
            self._link(source, target)
        for name in itertools.compress(names, armed):
            self._arm(name, does, frozenset())
        self._drop(name for name, is_kept in zip(names, kept, strict=True) if not is_kept)

    @rule()
    def drop_everything(self) -> None:
        self._drop(list(self.model.held))

    @rule(data=st.data(), does=DOES, many=st.integers(0, 2))
    @precondition(something_held)
    def arm(self, data: Any, does: str, many: int) -> None:
        self._arm(self.pick(data), does, frozenset(self.pick(data) for _ in range(many)))

    def _arm(self, name: Name, does: str, captures: frozenset[Name]) -> None:
        finalizer = functools.partial(act, does, tuple(world.held[captured] for captured in sorted(captures)))
        if name in self.model.reach(captures):
            with pytest.raises(CapturedOwner):
                set_finalizer(world.held[name], finalizer)
        else:
            set_finalizer(world.held[name], finalizer)
            self.model.armed[name] = (does, captures)
        del finalizer
        self.model.count()

    @rule(data=st.data())
    @precondition(something_held)
    def disarm(self, data: Any) -> None:
        name = self.pick(data)
        set_finalizer(world.held[name], None)
        self.model.armed.pop(name, None)
        self.model.count()

    @rule()
    def collect(self) -> None:
        found = self.model.collect()
        gc.collect()
        abandoned.drain()
        order, world.log[:] = list(world.log), []
        self.model.run(found, order)

    @invariant()
    def the_same_objects_exist_are_held_and_are_armed(self) -> None:
        assert existing() == set(self.model.edges)
        assert set(world.held) == self.model.held
        assert {armed.key for armed in finalizers._armed.values()} == set(finalizers._armed)
        assert finalizers.armed() == len(self.model.armed)
        assert len(finalizers._custody) == len(self.model.armed)


def test_the_model_finds_a_chain_from_its_head() -> None:
    """The model itself, on what Go's documentation gives as its example: A refers to B, both have finalizers."""
    model = Model()
    model.edges = {1: {2}, 2: set()}
    model.armed = {1: ("nothing", frozenset()), 2: ("nothing", frozenset())}
    assert set(model.collect()) == {1}


TestFinalization = Finalization.TestCase
TestFinalization.settings = settings(
    max_examples=80, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow]
)
