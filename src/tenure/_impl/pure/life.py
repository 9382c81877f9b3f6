"""The life of one resource: what a handle holds of it, and what remains of that when nobody holds the handle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from tenure._impl.contract import Entry, Job
from tenure._impl.pure.books import NO_LEASES, Mark
from tenure._impl.site import Site
from tenure.lifecycle import State

__all__ = ["Extra", "Life", "address_of", "forget_locks", "name_of"]


# Of all handles, as two threads must not each make a dict for one; re-entrant, as a finalizer may come in between.
_first_lease = threading.RLock()


def forget_locks() -> None:
    """After fork: the thread that held the lock may not be here."""
    global _first_lease
    _first_lease = threading.RLock()


class Extra(NamedTuple):
    """What few handles have; the others spare the room."""

    kind: str | None
    size: int
    parent: Any
    via: Callable[[Job], object] | None
    home: int  #: the thread it is confined to, if ``via`` says so


class Life:
    """State, token, leases and facts of one resource."""

    __slots__ = ("_box", "_closed", "_extra", "_leases", "_mark", "_release", "_since", "_site", "_state")

    _box: list[Any]  #: the token; whoever takes it out releases it
    _closed: Any  #: code and offset of the close, and the address; the owner's pid if disowned; else None
    _extra: Extra | None
    _leases: dict[Any, None]  #: a key for each lease and for each open child
    _mark: Mark
    _release: Callable[[Any], object]
    _since: float
    _site: Site
    _state: State  #: LEASED is never stored: it is OPEN with leases out; CLOSED also before there is a token

    def _own_leases(self) -> dict[Any, None]:
        """The leases, to be written to."""
        with _first_lease:
            if self._leases is NO_LEASES:
                self._leases = {}
            return self._leases

    @property
    def _kind(self) -> str:
        extra = self._extra
        return (extra and extra.kind) or name_of(self._release)

    @property
    def _which(self) -> str:
        """The resource as messages name it."""
        kind, address = self._kind, self._address
        if address is None and type(self._closed) is tuple:
            address = self._closed[2]
        return f"{kind} handle" if address is None else f"{kind} handle {address:#x}"

    @property
    def _address(self) -> int | None:
        """Its token's address while it has one: asked in one step, as another thread may take it out."""
        try:
            return address_of(self._box[0])
        except IndexError:
            return None

    @property
    def _left(self) -> bool:
        """Whether it is nobody's child."""
        extra = self._extra
        return extra is None or extra.parent is None or self._mark not in extra.parent._leases

    @property
    def _entry(self) -> Entry:
        """Its line in the ledger."""
        leases, extra = len(self._leases), self._extra
        state = State.LEASED if self._state is State.OPEN and leases else self._state
        return Entry(self._kind, self._address or 0, extra.size if extra else 0, self._since, self._site, state, leases)


def address_of(token: Any) -> int:
    """The token, if it is a number; its identity otherwise."""
    return token if type(token) is int else id(token)


def name_of(function: object) -> str:
    """A function as messages name it."""
    return getattr(function, "__name__", None) or type(function).__name__
