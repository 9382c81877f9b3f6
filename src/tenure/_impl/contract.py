"""What an implementation of the runtime offers, as Protocols: ``pure`` defines it, ``tenure._native`` has to agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from tenure._impl.site import Site
from tenure.lifecycle import State

__all__ = ["Counts", "Entry", "Hooks", "Implementation", "Job", "Queue", "Remains"]

Job = Callable[[], object]


class Entry(NamedTuple):
    """One line of the ledger: what is known of a resource without holding it."""

    kind: str  #: what it is, as its opener or its class called it
    address: int  #: the token, if it is a number; the identity of the token otherwise
    size: int  #: bytes, as the opener said; 0 if it did not
    since: float  #: when it was opened, in seconds of ``time.monotonic``, to about 10 ms
    site: Site  #: the line that opened it
    state: State
    leases: int  #: how many are out, open children included

    @property
    def which(self) -> str:
        """The resource as messages name it."""
        return f"{self.kind} handle {self.address:#x}"


class Counts(NamedTuple):
    """The books: ``opened == closed + detached + disowned + open``."""

    opened: int
    closed: int  #: released, by whomever
    detached: int  #: given up without a release
    disowned: int  #: inherited by fork, and not this process's
    abandoned: int  #: of those opened, how many the safety net found; most of them are in ``closed`` by now
    open: int
    size: int  #: bytes of what is open


class Remains(Protocol):
    """What is left of a handle that nobody holds: enough to report it and to release it."""

    @property
    def entry(self) -> Entry:
        """What the ledger says of it."""

    @property
    def leaked(self) -> bool:
        """Whether it was abandoned, rather than closed and only now let go."""

    @property
    def via(self) -> Callable[[Job], object] | None:
        """Through whom it must be released, if it is confined."""

    def close(self) -> None:
        """Release the token, once; raises what the release function raises."""

    def disown(self) -> None:
        """End the ownership without a release."""

    def ghost(self) -> object | None:
        """The handle itself, if it was abandoned and somebody holds it again after all."""


class Queue(Protocol):
    """Where finalizers leave things: ``put`` runs nobody's code, never blocks, and may be called in the collector."""

    def put(self, item: Job, /) -> None: ...

    def get(self, timeout: float | None = None, /) -> Remains | Job | None:
        """The next item in order, waiting at most ``timeout`` seconds (``None``: for ever); ``None`` if none came."""

    def __len__(self) -> int: ...


class Hooks(Protocol):
    """What the slow paths of an implementation ask of the rest of the runtime."""

    def first(self) -> bool:
        """Something is being registered; asked at every registration until the answer is True."""

    def check(self, release: Callable[..., object], owner: object) -> None:
        """Raise ``CapturedOwner`` if ``release`` reaches ``owner``."""

    def passes(self, site: Site) -> bool:
        """Count a leak from there if nobody is to be told of it: then it may be released at once, without a word."""

    def failed(self, entry: Entry, error: BaseException) -> None:
        """Such a release raised."""


class Implementation(Protocol):
    """One implementation: the types users meet, and what the ledger and the safety net need."""

    name: str
    Handle: type[Any]
    Lease: type[Any]
    Remains: type[Any]
    queue: Queue

    def table(self) -> dict[tuple[int, int], tuple[int, int]]:
        """The lifecycle as this implementation enacts it, as plain numbers."""

    def install(self, hooks: Hooks) -> None: ...

    def configure(self, *, depth: int, sample: int, refuse: bool, strict: bool) -> None:
        """Frames kept for a site; keep every n-th; refuse to close under a lease; a second close is an error."""

    def entries(self) -> list[Entry]:
        """Everything that is open now, oldest first."""

    def handles(self) -> list[Any]:
        """The handles that are open and held by somebody, oldest first."""

    def entry_of(self, handle: Any, /) -> Entry:
        """The line of one handle, closed or not."""

    def counts(self) -> Counts: ...

    def disown_all(self) -> None:
        """After fork, in the child: nothing that was open is this process's. Clears queue and counts."""
