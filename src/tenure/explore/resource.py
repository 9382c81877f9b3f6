"""One native resource and everybody who may touch it, as a model: the lifecycle table under every schedule.

What an implementation does between the table's arrows is in the model:

* the state and the number of leases out are one word, and an arrow is followed in one atomic step on it;
* the call of the release function is a step of its own, after the arrow that owes it;
* the token is used in a step between the lease and its return;
* the collector finds the handle only when no owner, and nobody who has yet to ask, holds it; what it does there is
  the arrow alone, and the safety net takes the handle from its queue in a step of its own;
* ghosts hold the handle again after the collector has found it, and ask, close and drop it once more;
* a forked child has a copy of the word and one thread, which disowns before it does anything else.

Two things can be taken away: ``split`` events read the word in one step and write it in another, and with ``early``
an owner calls the release function before the arrow that allows it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias, cast

from tenure.explore.model import Drawing, Edge, Node, Step
from tenure.lifecycle import TABLE, Arrow, Effect, Event, State

__all__ = ["Cast", "Life", "Resource", "Word"]

#: The places where a thread can stand; each role has some of them.
_ASK, _USE, _GIVE, _CLOSE, _AFTER, _DETACH, _RELEASE, _DROP, _WAIT, _CHILD, _DONE = range(11)

#: What the child does after it has disowned, in any order.
_TRIES: Final = (Event.LEASE, Event.CLOSE, Event.LAST_BACK, Event.ABANDON)

_LEASES: Final = {Event.LEASE: 1, Event.BACK: -1, Event.LAST_BACK: -1}
_BACKS: Final = frozenset({Event.BACK, Event.LAST_BACK})
_ENDINGS: Final = frozenset({Event.CLOSE, Event.ABANDON, Event.DISOWN})


@dataclass(frozen=True, slots=True)
class Cast:
    """Who takes part; the collector and the safety net always do."""

    borrowers: int = 1  #: lease, use, give back
    closers: int = 1  #: owners who close, then let go
    forgetters: int = 0  #: owners who only let go
    detachers: int = 0  #: owners who take the token out of the handle, or close it when that is refused
    ghosts: bool = False  #: three who hold the handle after the collector found it: one asks, one closes, one drops it
    fork: bool = False  #: a fork at any moment, and a child that tries everything

    def __post_init__(self) -> None:
        for role in ("borrowers", "closers", "forgetters", "detachers"):
            many = getattr(self, role)
            if not isinstance(many, int) or many < 0:
                raise ValueError(f"{role}={many!r}: expected how many there are, 0 or more")


class Word(NamedTuple):
    """What one process knows of the resource: read or changed in one step."""

    state: int
    leases: int
    shut: bool  #: whether somebody has closed, abandoned or disowned it


class Life(NamedTuple):
    """A state of the model."""

    word: Word
    at: tuple[int, ...]  #: where each thread stands
    read: tuple[Word | None, ...]  #: what a thread whose arrow is split has read, and not yet written
    released: int = 0
    reports: int = 0
    queued: int = 0
    child: Word | None = None
    tried: int = 0  #: which of ``_TRIES`` the child has done, as bits
    given_away: bool = False
    fault: str | None = None


_Did: TypeAlias = tuple[str, Life]
_Act: TypeAlias = Callable[["Resource", Life, int], Sequence[_Did]]


class Resource:
    """The model: everybody in ``cast``, following ``table``."""

    name = "lifecycle"

    def __init__(
        self,
        cast: Cast | None = None,
        *,
        table: Mapping[tuple[State, Event], Arrow] = TABLE,
        split: frozenset[Event] = frozenset(),
        early: bool = False,
    ) -> None:
        self.cast = cast or Cast()
        self.table = table
        # Whether a lease is the last one is decided by the word that was read, so both returns are split or neither.
        self.split = split | _BACKS if split & _BACKS else split
        self.early = early
        roles = _roles(self.cast)
        self.threads = tuple(name for name, _, _ in roles)
        self._places = tuple(place for _, place, _ in roles)
        self._acts = tuple(act for _, _, act in roles)
        self._borrowers = tuple(i for i, act in enumerate(self._acts) if act is _borrower)
        self._owners = tuple(i for i, act in enumerate(self._acts) if act is _owner)
        self._collector = self.threads.index("gc")

    def starts(self) -> list[Life]:
        """Open, and nobody has moved."""
        return [Life(Word(State.OPEN, 0, False), self._places, (None,) * len(self._places))]

    def steps(self, life: Life) -> list[Step[Life]]:
        """What each thread can do next; after a fault nothing matters any more."""
        return [step for i in range(len(self._acts)) for step in self.steps_of(i, life)]

    def broken(self, life: Life) -> str | None:
        """Used after its release, released twice, refused or given out against the promise."""
        return life.fault

    def broken_at_end(self, life: Life) -> str | None:
        """Not released exactly once, not reported just if nobody closed it, or not closed."""
        leaks = not (self.cast.closers or self.cast.detachers)
        if life.released != (not life.given_away):
            return "forgotten: it was never released"
        if life.reports != leaks:
            return "forgotten without a report" if leaks else "reported as a leak, although an owner ended it"
        if life.word.state != State.CLOSED or (life.child is not None and life.child.state != State.CLOSED):
            return "everybody is done, and it does not stand as closed"
        return None

    def outcome(self, life: Life) -> str:
        """What became of it."""
        fate = "given away" if life.given_away else "released" if life.released else "lost"
        return f"{fate}, reported" if life.reports else fate

    def canonical(self, life: Life) -> Life:
        """Borrowers are alike, and so are owners who stand where they stand."""
        at, read = list(life.at), list(life.read)
        for group in (self._borrowers, self._owners):
            alike = sorted(((at[i], read[i]) for i in group), key=lambda pair: (pair[0], pair[1] or ()))
            for i, (place, word) in zip(group, alike, strict=True):
                at[i], read[i] = place, word
        return life._replace(at=tuple(at), read=tuple(read))

    def steps_of(self, i: int, life: Life) -> list[Step[Life]]:
        """What one thread can do next."""
        if life.fault is not None or life.at[i] == _DONE:
            return []
        return [(i, label, after) for label, after in self._acts[i](self, life, i)]

    def parts(self, life: Life) -> tuple[Hashable, ...]:
        """The resource, and where each thread stands with the word it has read."""
        return (life._replace(at=(), read=()), *zip(life.at, life.read, strict=True))

    def whole(self, parts: tuple[Any, ...]) -> Life:
        """The state of these parts."""
        shared, *own = parts
        at, read = zip(*own, strict=True)
        return cast(Life, shared)._replace(at=at, read=read)

    def facets(self, i: int, own: Any) -> tuple[Hashable, ...]:
        """Whether the thread can still come to the handle by itself, and all there is of its own."""
        return own[0] == _ASK if i in self._borrowers else own[0] != _DONE, own

    def asks(self, i: int, own: object) -> list[tuple[int, int]]:
        """The collector looks who holds the handle, a ghost whether the collector has been."""
        if i == self._collector:
            return [(other, 0) for other in self._owners + self._borrowers]
        return [(self._collector, 0)] if self._acts[i] is _ghost else []

    def draw(self, life: Life) -> Drawing:
        """Who holds the handle and who the token."""
        nodes = [Node(name, name, "root") for name in self.threads if name not in ("gc", "net", "fork")]
        edges = [Edge(name, "handle", "holds") for name in self._holders(life)]
        edges += [Edge(self.threads[i], "token", "lease") for i in self._borrowers if life.at[i] in (_USE, _GIVE)]
        state = State(life.word.state)
        nodes.append(Node("handle", f"handle: {state.name.lower()}", "dead" if state is State.CLOSED else "object"))
        nodes.append(Node("token", "token: gone" if life.released else "token", "dead" if life.released else "native"))
        if not life.released:
            edges.append(Edge("handle", "token", "given away" if life.given_away else "owns"))
        if life.queued:
            nodes.append(Node("queue", "safety net's queue", "queue"))
            edges.append(Edge("queue", "handle"))
        if life.child is not None:
            nodes.append(Node("copy", f"in the child: {State(life.child.state).name.lower()}", "object"))
        return Drawing(tuple(nodes), tuple(edges), (f"leases out: {life.word.leases}", f"reports: {life.reports}"))

    def _holders(self, life: Life) -> list[str]:
        owners = [i for i in self._owners if life.at[i] != _DONE]
        return [self.threads[i] for i in owners + [i for i in self._borrowers if life.at[i] == _ASK]]

    def found_by_collector(self, life: Life) -> bool:
        """Whether the collector has been."""
        return life.at[self._collector] == _DONE

    def held(self, life: Life) -> bool:
        """Whether an owner, or a borrower who has yet to ask, holds the handle."""
        return any(life.at[i] != _DONE for i in self._owners) or any(life.at[i] == _ASK for i in self._borrowers)

    def arrow(self, life: Life, i: int, event: Event, then: int, *, refused: int | None = None) -> list[_Did]:
        """Follow the arrow of ``event`` and go on to ``then``, or to ``refused``; split, read first and write later."""
        base = life.read[i]
        if event in self.split and base is None:
            return [(f"{event.name.lower()}: read the word", _moved(life, i, life.at[i], life.word))]
        base = base or life.word
        label, word, effect = self.follow(base, event)
        place = then
        if effect is Effect.RELEASE and life.at[i] != _AFTER:
            place = _RELEASE
        if effect is Effect.REFUSE and refused is not None:
            place = refused
        moved = _moved(life, i, place)._replace(
            word=word,
            queued=life.queued + (effect is Effect.ENQUEUE),
            fault=_misled(event, effect, base.shut, refused is not None) or self._in_collector(i, effect),
        )
        return [(label, _reported(moved) if effect is Effect.REPORT else moved)]

    def follow(self, word: Word, event: Event) -> tuple[str, Word, Effect]:
        """The arrow of ``event`` from ``word``: what it is called, the word after it, and what is done on the way."""
        state, effect = self.table[State(word.state), event]
        refused = effect is Effect.REFUSE
        leases = word.leases + (0 if refused else _LEASES.get(event, 0))
        shut = word.shut or (event in _ENDINGS and not refused)
        return _label(event, State(word.state), state, effect), Word(int(state), leases, shut), effect

    def _in_collector(self, i: int, effect: Effect) -> str | None:
        within = i == self._collector and effect is Effect.RELEASE
        return "the release function would be called inside the collector" if within else None


@cache
def _label(event: Event, before: State, after: State, effect: Effect) -> str:
    done = {Effect.NONE: "", Effect.RELEASE: ", owes the release", Effect.ENQUEUE: ", into the queue"}
    done |= {Effect.REPORT: ", reported", Effect.REFUSE: ", refused"}
    return f"{event.name.lower()}: {before.name} → {after.name}{done[effect]}"


_WISHES: Final = {Event.CLOSE: "a close", Event.ABANDON: "the collector", Event.DISOWN: "the end of ownership"}


def _misled(event: Event, effect: Effect, shut: bool, may_refuse: bool) -> str | None:
    """What is wrong with an arrow as its caller sees it."""
    refused = effect is Effect.REFUSE
    if refused and not may_refuse:
        return f"{_WISHES.get(event, 'the return of a lease')} was refused"
    if event is Event.LEASE and refused != shut:
        return "a lease was given out after the close" if shut else "a lease was refused before anybody closed"
    return None


def _moved(life: Life, i: int, place: int, read: Word | None = None) -> Life:
    at, kept = life.at, life.read
    return life._replace(at=(*at[:i], place, *at[i + 1 :]), read=(*kept[:i], read, *kept[i + 1 :]))


def _reported(life: Life) -> Life:
    return life._replace(reports=life.reports + 1, fault=life.fault or ("reported twice" if life.reports else None))


def _released(life: Life, i: int, then: int, label: str = "call the release function") -> list[_Did]:
    fault = "released twice" if life.released else "released after it was given away" if life.given_away else None
    return [(label, _moved(life, i, then)._replace(released=life.released + 1, fault=fault))]


def _borrower(model: Resource, life: Life, i: int) -> list[_Did]:
    place = life.at[i]
    if place == _ASK:
        return model.arrow(life, i, Event.LEASE, _USE, refused=_DONE)
    if place == _USE:
        gone = "used after its release" if life.released else "used after it was given away"
        used = _moved(life, i, _GIVE)
        return [("use the token", used._replace(fault=gone if life.released or life.given_away else None))]
    if place == _GIVE:
        last = (life.read[i] or life.word).leases <= 1
        return model.arrow(life, i, Event.LAST_BACK if last else Event.BACK, _DONE)
    return _released(life, i, _DONE)


def _owner(model: Resource, life: Life, i: int) -> list[_Did]:
    place = life.at[i]
    if place in (_CLOSE, _AFTER):
        return _close(model, life, i)
    if place == _DETACH:
        return _detach(model, life, i)
    if place == _RELEASE:
        return _released(life, i, _DROP)
    return [("let go of the handle", _moved(life, i, _DONE))]


def _close(model: Resource, life: Life, i: int) -> list[_Did]:
    owes = model.table[State(life.word.state), Event.CLOSE].effect is Effect.RELEASE
    if model.early and life.at[i] == _CLOSE and owes:
        return _released(life, i, _AFTER, "call the release function, too early")
    return model.arrow(life, i, Event.CLOSE, _DROP)


def _detach(model: Resource, life: Life, i: int) -> list[_Did]:
    """The implementation's own guard: only what is open and not leased can be taken out."""
    word = life.read[i] or life.word
    if word.leases or word.state != State.OPEN:
        return [("detach: refused", _moved(life, i, _CLOSE))]
    done = model.arrow(life, i, Event.DISOWN, _DROP)
    return [(label, after._replace(given_away=after.at[i] == _DROP)) for label, after in done]


def _collector(model: Resource, life: Life, i: int) -> list[_Did]:
    return [] if model.held(life) else model.arrow(life, i, Event.ABANDON, _DONE)


def _net(model: Resource, life: Life, i: int) -> list[_Did]:
    if life.at[i] == _RELEASE:
        return _released(life, i, _WAIT)
    if life.at[i] == _CLOSE:
        return model.arrow(life, i, Event.CLOSE, _WAIT)
    if not life.queued:
        return []
    taken = _reported(life._replace(queued=life.queued - 1))
    return [("take it from the queue, report it", _moved(taken, i, _CLOSE))]


def _ghost(model: Resource, life: Life, i: int) -> list[_Did]:
    if not model.found_by_collector(life):
        return []
    place = life.at[i]
    if place == _RELEASE:
        return _released(life, i, _DONE)
    event = {_ASK: Event.LEASE, _CLOSE: Event.CLOSE, _DROP: Event.ABANDON}[place]
    return model.arrow(life, i, event, _DONE, refused=_DONE if event is Event.LEASE else None)


def _fork(model: Resource, life: Life, i: int) -> list[_Did]:
    if life.child is None:
        return [("fork", life._replace(child=life.word))]
    if life.at[i] == _WAIT:
        return [_in_child(model, life, Event.DISOWN, _moved(life, i, _CHILD))]
    found = []
    for bit, event in enumerate(_TRIES):
        if life.tried & 1 << bit or (event is Event.LAST_BACK and not life.child.leases):
            continue
        back = Event.BACK if event is Event.LAST_BACK and life.child.leases > 1 else event
        found.append(_in_child(model, life, back, life._replace(tried=life.tried | 1 << bit)))
    return found or [("child: exit", _moved(life, i, _DONE))]


def _in_child(model: Resource, life: Life, event: Event, then: Life) -> _Did:
    """One step of the child, which has one thread: its arrows need no atomicity."""
    assert life.child is not None
    label, word, effect = model.follow(life.child, event)
    fault = _misled(event, effect, life.child.shut, event is Event.LEASE)
    if event is Event.LEASE and effect is not Effect.REFUSE:
        fault = "leased in a process that did not open it"
    if effect is Effect.RELEASE:
        fault = "released by a process that did not open it"
    if effect in (Effect.ENQUEUE, Effect.REPORT):
        fault = "reported by a process that did not open it"
    return f"child: {label}", then._replace(child=word, fault=fault)


def _roles(cast: Cast) -> list[tuple[str, int, _Act]]:
    """Name, first place and behaviour of each thread."""
    owners = [_CLOSE] * cast.closers + [_DROP] * cast.forgetters + [_DETACH] * cast.detachers
    roles: list[tuple[str, int, _Act]] = [(f"b{n}", _ASK, _borrower) for n in range(cast.borrowers)]
    roles += [(f"o{n}", place, _owner) for n, place in enumerate(owners)]
    roles += [("gc", _WAIT, _collector), ("net", _WAIT, _net)]
    if cast.ghosts:
        roles += [("g_asks", _ASK, _ghost), ("g_closes", _CLOSE, _ghost), ("g_drops", _DROP, _ghost)]
    if cast.fork:
        roles.append(("fork", _WAIT, _fork))
    return roles
