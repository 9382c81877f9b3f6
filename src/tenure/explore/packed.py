"""A model whose states fall into parts, with every state as one integer and every kind of step taken once.

A step asks and changes little: what its thread has of its own, and what is shared. So each value that a part ever has
gets a number, a state is the row of these numbers in one integer, and what a thread does is remembered by the bits it
asks for. Where these bits are met again, a step is one addition. It is the same search through the same states, only
quicker: `Packed` is a model as any other, and what it packed it unpacks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import islice
from typing import Any, Final, Generic, TypeAlias, TypeVar

from tenure.explore.model import Parted, Step, Symmetric

__all__ = ["Packed"]

S = TypeVar("S", bound=Hashable)

#: The bits of a field. No search within the default bound on states can meet more values than fit.
_BITS: Final = 24
_FULL: Final = (1 << _BITS) - 1

#: Numbers are spread over their field, because what a dict makes of a long integer is a sum of its stretches: small
#: numbers side by side would come to the same sum far too often.
_SPREAD: Final = 0x9E3779

#: From how many states on, and up to how many, a search asks whether packing pays.
_PROBATION: Final = range(1 << 12, 1 << 17)

#: The steps known by the bits they ask for: the thread, the label, and what has to be added to the state.
_Deltas: TypeAlias = tuple[tuple[int, str, int], ...]


class _Field(dict[Hashable, int]):
    """The bits that stand for each value of one facet, given out as values are met; for a truth value it is one bit."""

    def __init__(self, name: str, shift: int, example: Hashable) -> None:
        truth = isinstance(example, bool)
        super().__init__({False: 0, True: 1 << shift} if truth else {})
        self._name, self._shift, self._most = name, shift, 2 if truth else _FULL
        self.end = shift + (1 if truth else _BITS)
        self.mask = (1 << self.end) - (1 << shift)

    def __missing__(self, value: Hashable) -> int:
        number = len(self) + 1
        if number > self._most:
            raise ValueError(f"{self._name} has a value more than the {self._most:,} it has room for: {value!r}")
        self[value] = bits = (number * _SPREAD & _FULL) << self._shift
        return bits


class _Part(dict[Any, int]):
    """The bits that stand for each value of one part, and the value that the bits stand for."""

    def __init__(self, name: str, shift: int, facets: Callable[[Any], Sequence[Hashable]], example: Hashable) -> None:
        super().__init__()
        self._name, self._facets = name, facets
        self.fields: list[_Field] = []
        self.end = shift
        for at, facet in enumerate(facets(example)):
            self.fields.append(_Field(f"{name}, facet {at},", self.end, facet))
            self.end = self.fields[-1].end
        self.mask = sum(field.mask for field in self.fields)
        self.values_of: dict[int, Hashable] = {}

    def __missing__(self, value: Hashable) -> int:
        facets = self._facets(value)
        bits = sum(field[facet] for field, facet in zip(self.fields, facets, strict=True))
        if bits in self.values_of:
            raise ValueError(f"{self._name}: the facets {facets} are both of {self.values_of[bits]} and of {value}")
        self[value] = bits
        self.values_of[bits] = value
        return bits


class _Asked:
    """The bits that steps ask for, and the steps known by them."""

    def __init__(self, mask: int) -> None:
        self.mask = mask
        self.known: dict[int, _Deltas] = {}


class Packed(Generic[S]):
    """``inner``, with integers for states."""

    def __init__(self, inner: Parted[S]) -> None:
        self.inner = inner
        self.name, self.threads = inner.name, inner.threads
        start = next(iter(inner.starts()))
        shared, *own = inner.parts(start)
        self._shared = _Part(f"{inner.name}: what is shared", 0, lambda value: (value,), shared)
        self._parts = [self._shared]
        for thread, example in enumerate(own):
            name = f"{inner.name}: {self.threads[thread]}"
            self._parts.append(_Part(name, self._parts[-1].end, self._facets_of(thread), example))
        #: For each thread the bits that most of its steps ask for, and by them its steps, or what more they ask for.
        self._near: list[tuple[int, dict[int, _Deltas | _Asked], int]] = [
            (self._shared.mask | part.mask, {}, thread) for thread, part in enumerate(self._parts[1:])
        ]
        self._far: dict[int, _Asked] = {}
        self._alike: dict[tuple[int, int], _Asked] = {}
        self._own = own
        self._anew = 0
        self.paid = True
        self._looked = 0
        self._wrong: dict[int, str] = {}
        self._ends: dict[int, tuple[str | None, str]] = {}
        if isinstance(inner, Symmetric):
            self._exchanged: dict[int, int] = {}
            self._represents = inner.canonical
            self.canonical = self._canonical

    def _facets_of(self, thread: int) -> Callable[[Hashable], Sequence[Hashable]]:
        return lambda own: self.inner.facets(thread, own)

    # -- to and fro

    def pack(self, state: S) -> int:
        """The integer that stands for ``state``."""
        return sum(part[value] for part, value in zip(self._parts, self.inner.parts(state), strict=True))

    def unpack(self, number: int) -> S:
        """The state that ``number`` stands for."""
        return self.inner.whole(self._values(number))

    def _values(self, number: int) -> tuple[Hashable, ...]:
        return tuple([part.values_of[number & part.mask] for part in self._parts])

    # -- the model

    def starts(self) -> list[int]:
        """The inner starts."""
        return [self.pack(start) for start in self.inner.starts()]

    def steps(self, state: int) -> list[Step[int]]:
        """The inner steps, in their order."""
        return [
            (thread, label, state + delta)
            for near, known, index in self._near
            for thread, label, delta in self._deltas(known.get(state & near), state, index)
        ]

    def visit(self, batch: Sequence[int], seen: dict[int, int | None], fresh: list[int]) -> tuple[int, list[int]]:
        """What a search does with a batch of states, in one loop: how many steps it took, and which states are ends."""
        near_of_all, add = self._near, fresh.append
        taken = 0
        ends = []
        for state in batch:
            before = taken
            for near, known, index in near_of_all:
                deltas = known.get(state & near)
                if deltas.__class__ is not tuple:
                    deltas = self._deltas(deltas, state, index)
                if deltas:
                    taken += len(deltas)
                    for _, _, delta in deltas:
                        after = state + delta
                        if after not in seen:
                            seen[after] = state
                            add(after)
            if taken == before:
                ends.append(state)
        return taken, ends

    def pays(self, states: int) -> bool:
        """Whether steps are found again often enough; where nearly each is new, one by one is quicker."""
        if states in _PROBATION and self._anew > states:
            self.paid = False
        return self.paid

    def _deltas(self, found: _Deltas | _Asked | None, state: int, index: int) -> _Deltas:
        """The steps of a thread, where ``found`` is known by the bits that most of its steps ask for."""
        if found is None:
            found = self._met(state, index)
        if not isinstance(found, _Asked):
            return found
        deltas = found.known.get(state & found.mask)
        if deltas is None:
            found.known[state & found.mask] = deltas = self._learned(state, index, found.mask)
        return deltas

    def _met(self, state: int, index: int) -> _Deltas | _Asked:
        """What a thread does with its own part and what is shared as they are in ``state``; it is known from now on."""
        near, known, _ = self._near[index]
        own = state & self._parts[index + 1].mask
        far = self._far.get(own)
        if far is None:
            self._far[own] = far = self._asked(index, own)
        found = self._learned(state, index, near) if far.mask == near else far
        known[state & near] = found
        return found

    def _asked(self, index: int, own: int) -> _Asked:
        """What a thread asks for whose own part is ``own``; those who ask for the same share what is known."""
        part = self._parts[index + 1]
        mask = self._shared.mask | part.mask
        for other, facet in self.inner.asks(index, part.values_of[own]):
            mask |= self._parts[other + 1].fields[facet].mask
        return self._alike.setdefault((index, mask), _Asked(mask))

    def _learned(self, state: int, index: int, mask: int) -> _Deltas:
        """The thread's steps in the inner model, and what they change, which has to lie in ``mask``."""
        self._anew += 1
        before = self._values(state)
        found = []
        for thread, label, after in self.inner.steps_of(index, self.inner.whole(before)):
            to = state
            for part, old, new in zip(self._parts, before, self.inner.parts(after), strict=True):
                if new != old:
                    to += part[new] - part[old]
            if (state ^ to) & ~mask:
                raise ValueError(f"{self.name}: {self.threads[thread]}: {label}: it changes what it does not ask for")
            found.append((thread, label, to - state))
        return tuple(found)

    def _canonical(self, state: int) -> int:
        """The representative: which own parts are exchanged, and so what has to be added, own parts tell alone."""
        own = state & ~self._shared.mask
        if own not in self._exchanged:
            self._exchanged[own] = self.pack(self._represents(self.unpack(state))) - state
        return state + self._exchanged[own]

    # -- what is wrong and what is seen, both of which what is shared tells alone

    def broken(self, state: int) -> str | None:
        """What is wrong."""
        self._look()
        return self._wrong.get(state & self._shared.mask)

    def faulty(self, states: Sequence[int]) -> list[int]:
        """Those of ``states`` in which something is wrong."""
        self._look()
        shared = self._shared.mask
        return [state for state in states if state & shared in self._wrong] if self._wrong else []

    def _look(self) -> None:
        """Find out what is wrong with those values of what is shared that were met since the last look."""
        known = self._shared.values_of
        for bits in islice(known, self._looked, None) if len(known) > self._looked else ():
            fault = self.inner.broken(self.inner.whole((known[bits], *self._own)))
            if fault is not None:
                self._wrong[bits] = fault
        self._looked = len(known)

    def broken_at_end(self, state: int) -> str | None:
        """What is wrong with ending so."""
        return self._end(state)[0]

    def outcome(self, state: int) -> str:
        """What is seen."""
        return self._end(state)[1]

    def _end(self, state: int) -> tuple[str | None, str]:
        shared = state & self._shared.mask
        if shared not in self._ends:
            whole = self.unpack(state)
            self._ends[shared] = self.inner.broken_at_end(whole), self.inner.outcome(whole)
        return self._ends[shared]
