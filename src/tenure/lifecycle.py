"""The life of a native resource as one small table: five states, six events, every arrow.

::

                 lease               last_back
       OPEN ◄─────────────► LEASED ─────────────► OPEN
        │ │ close             │ close · abandon
        │ └────────────────┐  ▼
        │ abandon          │ CLOSING ──last_back──┐
        ▼                  │                      ▼
      ABANDONED ──close──► CLOSED ◄───────────────┘

``_impl.pure`` enacts this table, ``tenure._native`` enacts it fast and is compared with it entry by entry, the
ledger writes its events down, ``tenure.check`` follows sets of its states, ``tenure.explore`` runs every schedule
over it. Every pair of a state and an event stands in ``TABLE``, so a missing arrow is a mistake in the table,
never a silent default.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

__all__ = ["TABLE", "Arrow", "Effect", "Event", "State", "follow"]


class State(IntEnum):
    """Where a resource stands."""

    OPEN = 0  #: owned, nobody is using it
    LEASED = 1  #: owned, at least one lease is out
    CLOSING = 2  #: no new leases; the last one back releases
    ABANDONED = 3  #: nobody holds it any more; the safety net will close it
    CLOSED = 4  #: released, detached or disowned; the token is gone


class Event(IntEnum):
    """What can happen to a resource."""

    LEASE = 0  #: somebody asks to use the token
    BACK = 1  #: a lease is given back while others are out
    LAST_BACK = 2  #: the last lease is given back
    CLOSE = 3  #: the owner, its parent, the safety net or the exit closes it
    ABANDON = 4  #: the collector finds that nobody holds it
    DISOWN = 5  #: ownership ends without a release: detached, or inherited by a forked child


class Effect(IntEnum):
    """What the arrow does besides changing the state."""

    NONE = 0
    RELEASE = 1  #: call the release function with the token, exactly once in a life
    ENQUEUE = 2  #: hand it to the safety net, which reports it and closes it
    REPORT = 3  #: report it; the last lease back releases it
    REFUSE = 4  #: raise: the event is not allowed in this state


class Arrow(NamedTuple):
    """The state an event leads to, and what is done on the way."""

    state: State
    effect: Effect


_OPEN, _LEASED, _CLOSING, _ABANDONED, _CLOSED = State
_NONE, _RELEASE, _ENQUEUE, _REPORT, _REFUSE = Effect

#: Every arrow. A ``REFUSE`` stays where it is; a ``RELEASE`` always ends in CLOSED and nothing leaves CLOSED, which
#: is why a resource is released at most once.
TABLE: Final[dict[tuple[State, Event], Arrow]] = {
    (_OPEN, Event.LEASE): Arrow(_LEASED, _NONE),
    (_OPEN, Event.BACK): Arrow(_OPEN, _REFUSE),
    (_OPEN, Event.LAST_BACK): Arrow(_OPEN, _REFUSE),
    (_OPEN, Event.CLOSE): Arrow(_CLOSED, _RELEASE),
    (_OPEN, Event.ABANDON): Arrow(_ABANDONED, _ENQUEUE),
    (_OPEN, Event.DISOWN): Arrow(_CLOSED, _NONE),
    (_LEASED, Event.LEASE): Arrow(_LEASED, _NONE),
    (_LEASED, Event.BACK): Arrow(_LEASED, _NONE),
    (_LEASED, Event.LAST_BACK): Arrow(_OPEN, _NONE),
    (_LEASED, Event.CLOSE): Arrow(_CLOSING, _NONE),
    (_LEASED, Event.ABANDON): Arrow(_CLOSING, _REPORT),
    (_LEASED, Event.DISOWN): Arrow(_CLOSED, _NONE),
    (_CLOSING, Event.LEASE): Arrow(_CLOSING, _REFUSE),
    (_CLOSING, Event.BACK): Arrow(_CLOSING, _NONE),
    (_CLOSING, Event.LAST_BACK): Arrow(_CLOSED, _RELEASE),
    (_CLOSING, Event.CLOSE): Arrow(_CLOSING, _NONE),
    (_CLOSING, Event.ABANDON): Arrow(_CLOSING, _NONE),
    (_CLOSING, Event.DISOWN): Arrow(_CLOSED, _NONE),
    (_ABANDONED, Event.LEASE): Arrow(_ABANDONED, _REFUSE),
    (_ABANDONED, Event.BACK): Arrow(_ABANDONED, _REFUSE),
    (_ABANDONED, Event.LAST_BACK): Arrow(_ABANDONED, _REFUSE),
    (_ABANDONED, Event.CLOSE): Arrow(_CLOSED, _RELEASE),
    (_ABANDONED, Event.ABANDON): Arrow(_ABANDONED, _NONE),
    (_ABANDONED, Event.DISOWN): Arrow(_CLOSED, _NONE),
    (_CLOSED, Event.LEASE): Arrow(_CLOSED, _REFUSE),
    (_CLOSED, Event.BACK): Arrow(_CLOSED, _NONE),
    (_CLOSED, Event.LAST_BACK): Arrow(_CLOSED, _NONE),
    (_CLOSED, Event.CLOSE): Arrow(_CLOSED, _NONE),
    (_CLOSED, Event.ABANDON): Arrow(_CLOSED, _NONE),
    (_CLOSED, Event.DISOWN): Arrow(_CLOSED, _NONE),
}


def follow(state: State, event: Event) -> Arrow:
    """The arrow that ``event`` takes from ``state``.

    Raises ``LookupError``, naming both, when the table lacks the pair.
    """
    try:
        return TABLE[state, event]
    except KeyError:
        raise LookupError(f"the lifecycle has no arrow for event {event!r} in state {state!r}") from None
