"""Random lives, with the table itself as the model: every state, every refusal, every release and the books agree."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import tenure
from tenure.errors import ClosedHandle, LeasedHandle
from tenure.lifecycle import Effect, Event, State, follow

from .conftest import MODULES, Runtime, load


@dataclass(eq=False)
class Life:
    """What the table says of one resource."""

    token: int
    parent: Life | None
    state: State = State.OPEN
    leases: int = 0
    children: list[Life] = field(default_factory=list)


class Model:
    """The table, followed by hand."""

    def __init__(self) -> None:
        self.released: list[int] = []
        self.opened = self.detached = self.abandoned = 0

    def open(self, token: int, parent: Life | None) -> Life | None:
        if parent is not None and not self.lease(parent):
            return None
        self.opened += 1
        life = Life(token, parent)
        if parent is not None:
            parent.children.append(life)
        return life

    def lease(self, life: Life) -> bool:
        arrow = follow(life.state, Event.LEASE)
        life.state = arrow.state
        life.leases += arrow.effect is not Effect.REFUSE
        return arrow.effect is not Effect.REFUSE

    def back(self, life: Life) -> None:
        arrow = follow(life.state, Event.LAST_BACK if life.leases == 1 else Event.BACK)
        life.state = arrow.state
        life.leases -= 1
        if arrow.effect is Effect.RELEASE:
            self.release(life)

    def close(self, life: Life) -> None:
        arrow = follow(life.state, Event.CLOSE)
        life.state = arrow.state
        for child in reversed(list(life.children)):
            self.close(child)
        if arrow.effect is Effect.RELEASE:
            self.release(life)

    def detach(self, life: Life) -> None:
        life.state = follow(life.state, Event.DISOWN).state
        self.detached += 1
        self.leave(life)

    def abandon(self, life: Life) -> None:
        """Nobody holds it any more, nor any of its leases."""
        while life.leases and life.state is not State.CLOSED:
            self.back(life)
        arrow = follow(life.state, Event.ABANDON)
        life.state = arrow.state
        self.abandoned += arrow.effect is Effect.ENQUEUE
        self.close(life)

    def release(self, life: Life) -> None:
        self.released.append(life.token)
        self.leave(life)

    def leave(self, life: Life) -> None:
        if life.parent is not None:
            life.parent.children.remove(life)
            self.back(life.parent)


class Lives(RuleBasedStateMachine):
    """Opens, leases, gives back, closes, detaches and drops, here and in the model."""

    implementation = ""
    handles: Bundle[int] = Bundle("handles")

    @initialize()
    def begin(self) -> None:
        self.runtime: Runtime = load(self.implementation)
        self.model = Model()
        self.lives: dict[int, tuple[Any, Life, list[Any]]] = {}  # a handle, what the model says, its leases
        self.tokens = 0

    def _put(self, handle: Any, life: Life) -> int:
        self.lives[life.token] = (handle, life, [])
        return life.token

    @rule(target=handles)
    def open(self) -> int:
        self.tokens += 1
        life = self.model.open(self.tokens, None)
        assert life is not None
        return self._put(self.runtime.own(self.tokens), life)

    @rule(target=handles, above=handles)
    def open_child(self, above: int) -> int:
        if above not in self.lives:
            return above
        parent, upper, _ = self.lives[above]
        self.tokens += 1
        life = self.model.open(self.tokens, upper)
        if life is None:
            with pytest.raises(ClosedHandle):
                self.runtime.own(self.tokens, parent=parent)
            return above
        return self._put(self.runtime.own(self.tokens, parent=parent), life)

    @rule(which=handles)
    def lease(self, which: int) -> None:
        if which not in self.lives:
            return
        handle, life, leases = self.lives[which]
        if self.model.lease(life):
            leases.append(handle.lease())
            assert leases[-1].token == which
        else:
            with pytest.raises(ClosedHandle):
                handle.lease()

    @rule(which=handles, twice=st.booleans())
    def give_back(self, which: int, twice: bool) -> None:
        if which not in self.lives or not self.lives[which][2]:
            return
        _, life, leases = self.lives[which]
        lease = leases.pop()
        self.model.back(life)
        lease.give_back()
        if twice:
            lease.give_back()

    @rule(which=handles)
    def close(self, which: int) -> None:
        if which in self.lives:
            handle, life, _ = self.lives[which]
            self.model.close(life)
            handle.close()

    @rule(which=handles)
    def detach(self, which: int) -> None:
        if which not in self.lives:
            return
        handle, life, _ = self.lives[which]
        if life.leases or life.state is State.CLOSED:
            with pytest.raises(LeasedHandle if life.leases else ClosedHandle):
                handle.detach()
        else:
            assert handle.detach() == which
            self.model.detach(life)

    @rule(which=handles)
    def drop(self, which: int) -> None:
        """Forget the handle and its leases; one with open children is held by them."""
        if which not in self.lives or self.lives[which][1].children:
            return
        life = self.lives.pop(which)[1]  # no name may keep the handle or a lease
        self.model.abandon(life)
        self.runtime.drain()

    @invariant()
    def agree(self) -> None:
        if not hasattr(self, "model"):
            return
        assert self.runtime.released == self.model.released
        for token, (handle, life, leases) in self.lives.items():
            assert (handle.state, token) == (life.state, token)
            assert len(leases) == life.leases - len(life.children)
        booked, model = self.runtime.booked, self.model
        assert (booked.opened, booked.detached, booked.abandoned) == (model.opened, model.detached, model.abandoned)
        assert booked.closed == len(model.released)
        assert booked.opened == booked.closed + booked.detached + booked.open

    def teardown(self) -> None:
        for _, _, leases in self.lives.values():
            for lease in leases:
                lease.give_back()
        for handle, _, _ in self.lives.values():
            handle.close()
        assert self.runtime.booked.open == 0


@pytest.mark.parametrize("name", list(MODULES))
def test_any_sequence_of_events_ends_as_the_table_says(name: str) -> None:
    load(name)
    before = tenure.configure(leak="off")
    gc.collect()
    gc.freeze()
    try:
        machine = type(f"{name.title()}Lives", (Lives,), {"implementation": name})
        run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=30))
    finally:
        gc.unfreeze()
        tenure.configure(**before._asdict())
