"""One handle as the pure implementation keeps it, every read and write a step: no word, no lock, and still no race.

Where `resource` follows the table's arrows in one step each, here nothing is atomic but a single read or write:

* a *state*; a *table of leases*, in which each lease is a key; a *box* with the token in it;
* a lease puts its key before it reads the state, and goes back if that is not open;
* a close writes the state before it counts the leases;
* whoever takes the token out of the box releases it: it can be taken out once;
* a lease that goes back as the last one, from a handle that is not open, releases;
* a detach takes the token out before it counts the leases, and puts it back if there are any; so a lease that finds the
  box empty goes back, as it does where the state is not open.

``without`` takes one of these away, by the name in ``RULES``. Leases keep their handle alive, so a handle that nobody
holds has neither lease nor thread left, and its abandonment is the same as in `resource`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple, TypeAlias, cast

from tenure.explore.model import Drawing, Edge, Node, Step
from tenure.lifecycle import State

__all__ = ["RULES", "Boxed", "Desk"]

#: What can be taken away, and what happens then instead.
RULES: Final = {
    "a lease is put before the state is read": "the state is read first",
    "a close writes the state before it counts": "the leases are counted first",
    "a lease that goes back looks whether it was the last": "it just goes",
    "the token is taken out before it is released": "it is released, then taken out",
    "a close ends with the state": "the state stays closing",
    "a detach takes the token before it counts": "the leases are counted first",
    "a lease looks into the box": "it takes an open state for a token",
}

#: The places of a thread: in a lease, in a close, in the release that each may come to, and in a detach.
_PUT, _LOOK, _ENTER, _USE, _BACK, _ASK, _LAST, _READ, _WRITE, _COUNT, _POP = range(11)
_TEST, _TAKE, _CALL, _END, _DETACH, _RETURN, _AGAIN, _DONE = range(11, 19)


class Desk(NamedTuple):
    """A state of the model."""

    state: int
    leases: int  #: a bit for each thread whose lease stands in the table
    boxed: bool  #: whether the token is in the box
    at: tuple[int, ...]
    counted: tuple[bool, ...]  #: what a thread that counts too early has found: no lease is out
    released: int = 0
    given_away: bool = False
    fault: str | None = None


_Did: TypeAlias = tuple[str, Desk]


class Boxed:
    """``borrowers`` lease, use and give back, ``closers`` close, ``detachers`` take the token or, refused, close."""

    name = "boxed"

    def __init__(self, borrowers: int = 1, closers: int = 1, detachers: int = 0, without: str = "") -> None:
        if without and without not in RULES:
            raise ValueError(f"no rule {without!r}; the rules are {', '.join(RULES)}")
        roles: dict[str, Any] = {"borrowers": borrowers, "closers": closers, "detachers": detachers}
        for role, many in roles.items():
            if not isinstance(many, int) or many < 0:
                raise ValueError(f"{role}={many!r}: expected how many there are, 0 or more")
        self.without = without
        self.threads = (
            *(f"b{n}" for n in range(borrowers)),
            *(f"o{n}" for n in range(closers)),
            *(f"d{n}" for n in range(detachers)),
        )
        first = _LOOK if self._lacks("a lease is put before") else _PUT
        begins = _COUNT if self._lacks("a close writes") else _READ
        self._places = (*[first] * borrowers, *[begins] * closers, *[_DETACH] * detachers)
        self._acts: dict[int, Callable[[Desk, int], _Did]] = {
            _PUT: self._put,
            _LOOK: self._look,
            _ENTER: self._enter,
            _USE: self._use,
            _BACK: self._back,
            _ASK: self._ask,
            _LAST: self._last,
            _READ: self._read,
            _WRITE: self._write,
            _COUNT: self._count,
            _DETACH: self._detach,
            _RETURN: self._return,
            _AGAIN: self._again,
            _POP: self._pop,
            _TEST: self._test,
            _TAKE: self._take,
            _CALL: self._call,
            _END: self._end,
        }

    def _lacks(self, rule: str) -> bool:
        return bool(self.without) and self.without.startswith(rule)

    def starts(self) -> list[Desk]:
        """Open, the token in its box."""
        return [Desk(State.OPEN, 0, True, self._places, (False,) * len(self._places))]

    def steps(self, desk: Desk) -> list[Step[Desk]]:
        """The next read or write of each thread."""
        return [step for i in range(len(desk.at)) for step in self.steps_of(i, desk)]

    def steps_of(self, i: int, desk: Desk) -> list[Step[Desk]]:
        """The next read or write of one thread."""
        if desk.fault is not None or desk.at[i] == _DONE:
            return []
        return [(i, *self._acts[desk.at[i]](desk, i))]

    def parts(self, desk: Desk) -> tuple[Hashable, ...]:
        """The handle, and where each thread stands with what it has counted."""
        return (desk._replace(at=(), counted=()), *zip(desk.at, desk.counted, strict=True))

    def whole(self, parts: tuple[Any, ...]) -> Desk:
        """The state of these parts."""
        shared, *own = parts
        at, counted = zip(*own, strict=True)
        return cast(Desk, shared)._replace(at=at, counted=counted)

    def facets(self, i: int, own: Hashable) -> tuple[Hashable, ...]:
        """All there is: nobody asks where another stands."""
        return (own,)

    def asks(self, i: int, own: Hashable) -> tuple[()]:
        """Nothing of anybody."""
        return ()

    def broken(self, desk: Desk) -> str | None:
        """Used after its release, or released twice."""
        return desk.fault

    def broken_at_end(self, desk: Desk) -> str | None:
        """Not released exactly once, or not closed."""
        if desk.released != (not desk.given_away):
            return "forgotten: it was never released"
        return None if desk.state == State.CLOSED else "everybody is done, and it does not stand as closed"

    def outcome(self, desk: Desk) -> str:
        """What became of it."""
        return "given away" if desk.given_away else "released" if desk.released else "lost"

    # -- a lease

    def _put(self, desk: Desk, i: int) -> _Did:
        then = _ENTER if self._lacks("a lease is put before") else _LOOK
        return "lease: put it in the table", _moved(desk, i, then)._replace(leases=desk.leases | 1 << i)

    def _look(self, desk: Desk, i: int) -> _Did:
        early = self._lacks("a lease is put before")
        admitted, refused = (_PUT, _DONE) if early else (_ENTER, _BACK)
        return f"lease: the state is {_named(desk)}", _moved(desk, i, admitted if desk.state == State.OPEN else refused)

    def _enter(self, desk: Desk, i: int) -> _Did:
        if desk.boxed:
            return "lease: the box has the token", _moved(desk, i, _USE)
        if self._lacks("a lease looks"):
            return "lease: the box is empty", desk._replace(fault="a lease was given out and there is no token")
        return "lease: the box is empty, refused", _moved(desk, i, _BACK)

    def _use(self, desk: Desk, i: int) -> _Did:
        gone = "used after its release" if desk.released else "used after it was given away"
        fault = gone if desk.released or desk.given_away else None
        return "use the token", _moved(desk, i, _BACK)._replace(fault=fault)

    def _back(self, desk: Desk, i: int) -> _Did:
        then = _DONE if self._lacks("a lease that goes back") else _ASK
        return "lease: out of the table", _moved(desk, i, then)._replace(leases=desk.leases & ~(1 << i))

    def _ask(self, desk: Desk, i: int) -> _Did:
        return f"back: the state is {_named(desk)}", _moved(desk, i, _DONE if desk.state == State.OPEN else _LAST)

    def _last(self, desk: Desk, i: int) -> _Did:
        return f"back: {_counted(desk)}", _moved(desk, i, _DONE if desk.leases else _TEST)

    # -- a close

    def _read(self, desk: Desk, i: int) -> _Did:
        then = {State.CLOSED: _DONE, State.CLOSING: _COUNT}.get(State(desk.state), _WRITE)
        return f"close: the state is {_named(desk)}", _moved(desk, i, then)

    def _write(self, desk: Desk, i: int) -> _Did:
        then = _COUNT
        if self._lacks("a close writes"):
            then = _TEST if desk.counted[i] else _DONE
        return "close: the state becomes closing", _moved(desk, i, then)._replace(state=int(State.CLOSING))

    def _count(self, desk: Desk, i: int) -> _Did:
        if self._lacks("a close writes"):
            counted = (*desk.counted[:i], not desk.leases, *desk.counted[i + 1 :])
            return f"close: {_counted(desk)}", _moved(desk, i, _WRITE)._replace(counted=counted)
        return f"close: {_counted(desk)}", _moved(desk, i, _DONE if desk.leases else _TEST)

    # -- a detach

    def _detach(self, desk: Desk, i: int) -> _Did:
        if not self._lacks("a detach takes"):
            return self._pop(desk, i)
        return f"detach: {_counted(desk)}", _moved(desk, i, _DONE if desk.leases else _POP)

    def _pop(self, desk: Desk, i: int) -> _Did:
        if not desk.boxed:
            return "detach: the box is empty, refused", _moved(desk, i, _DONE)
        early = self._lacks("a detach takes")
        taken = _moved(desk, i, _END if early else _RETURN)
        return "detach: take the token", taken._replace(boxed=False, given_away=early)

    def _return(self, desk: Desk, i: int) -> _Did:
        if not desk.leases:
            return "detach: no lease is out, the token is the caller's", _moved(desk, i, _END)._replace(given_away=True)
        return "detach: leases are out, put the token back", _moved(desk, i, _AGAIN)._replace(boxed=True)

    def _again(self, desk: Desk, i: int) -> _Did:
        """Who closed while the token was out found no token; so this owner, who is refused, closes once more."""
        then = _READ if desk.state == State.OPEN else _WRITE
        return f"detach: refused, the state is {_named(desk)}", _moved(desk, i, then)

    # -- the release, by whoever comes to it

    def _test(self, desk: Desk, i: int) -> _Did:
        return f"release: {_boxed(desk)}", _moved(desk, i, _END if not desk.boxed else self._first_of_release())

    def _first_of_release(self) -> int:
        return _CALL if self._lacks("the token is taken out") else _TAKE

    def _take(self, desk: Desk, i: int) -> _Did:
        if not desk.boxed:
            return "release: another was faster", _moved(desk, i, _END)
        then = _END if self._lacks("the token is taken out") else _CALL
        return "release: take the token out", _moved(desk, i, then)._replace(boxed=False)

    def _call(self, desk: Desk, i: int) -> _Did:
        then = _TAKE if self._lacks("the token is taken out") else _END
        fault = "released twice" if desk.released else None
        return "release: call the function", _moved(desk, i, then)._replace(released=desk.released + 1, fault=fault)

    def _end(self, desk: Desk, i: int) -> _Did:
        state = desk.state if self._lacks("a close ends") else int(State.CLOSED)
        return "release: the state becomes closed", _moved(desk, i, _DONE)._replace(state=state)

    def draw(self, desk: Desk) -> Drawing:
        """The state, the table of leases and the box."""
        nodes = [Node(name, name, "root") for name in self.threads]
        nodes.append(Node("table", "leases", "queue"))
        nodes.append(Node("box", "box", "object" if desk.boxed else "dead"))
        edges = [Edge("table", name) for i, name in enumerate(self.threads) if desk.leases >> i & 1]
        if not desk.given_away:
            nodes.append(Node("token", "token: gone" if desk.released else "token", _life(desk)))
            edges += [Edge("box", "token")] * desk.boxed
        return Drawing(tuple(nodes), tuple(edges), (f"state: {_named(desk)}",))


def _life(desk: Desk) -> str:
    return "dead" if desk.released else "native"


def _moved(desk: Desk, i: int, place: int) -> Desk:
    return desk._replace(at=(*desk.at[:i], place, *desk.at[i + 1 :]))


def _named(desk: Desk) -> str:
    return State(desk.state).name.lower()


def _counted(desk: Desk) -> str:
    return "leases are out" if desk.leases else "no lease is out"


def _boxed(desk: Desk) -> str:
    return "the box has the token" if desk.boxed else "the box is empty"
