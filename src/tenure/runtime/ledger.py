"""All that is open now, since when, and which line opened it.

The ledger holds nobody alive, needs no scan to be right (an entry leaves with its handle), and costs the same with a
million open handles as with one. Each function looks at this process and this interpreter.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, overload

from tenure._impl import chosen
from tenure._impl.contract import Counts, Entry
from tenure._impl.site import Site
from tenure.errors import LeaksFound
from tenure.runtime.abandoned import drain

__all__ = ["Difference", "Line", "Snapshot", "assert_empty", "by_site", "counts", "diff", "snapshot", "stale"]


class Line(NamedTuple):
    """What one line of a program holds open."""

    site: Site
    kind: str
    open: int
    size: int  #: bytes
    oldest: float  #: seconds since the oldest was opened


class Snapshot(Sequence[Entry]):
    """The entries at one moment, oldest first."""

    def __init__(self, entries: list[Entry], at: float) -> None:
        self._entries = entries
        self.at = at  #: when it was taken, in seconds of ``time.monotonic``

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        return self._entries[index]

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    @property
    def size(self) -> int:
        """Bytes held, as their openers said."""
        return sum(entry.size for entry in self._entries)

    def __repr__(self) -> str:
        return f"<Snapshot of {len(self)} open, {self.size} bytes>"


class Difference(NamedTuple):
    """What came and what went between two snapshots."""

    opened: list[Entry]
    closed: list[Entry]

    def by_site(self) -> dict[Site, int]:
        """How many more are open at each site; fewer is negative."""
        change = Counter(entry.site for entry in self.opened)
        change.subtract(entry.site for entry in self.closed)
        return {site: count for site, count in change.items() if count}


def snapshot() -> Snapshot:
    """What is open now."""
    return Snapshot(chosen.entries(), time.monotonic())


def counts() -> Counts:
    """The books: ``opened == closed + detached + disowned + open``."""
    return Counts(*chosen.counts())


def by_site(entries: Iterable[Entry] | None = None) -> list[Line]:
    """What is open (or ``entries``) by the line and kind that opened it, most first."""
    now = time.monotonic()
    groups: dict[tuple[Site, str], list[Entry]] = {}
    for entry in snapshot() if entries is None else entries:
        groups.setdefault((entry.site, entry.kind), []).append(entry)
    lines = [
        Line(site, kind, len(group), sum(e.size for e in group), now - min(e.since for e in group))
        for (site, kind), group in groups.items()
    ]
    return sorted(lines, key=lambda line: -line.open)


def stale(*, older_than: float) -> list[Entry]:
    """What has been open for more than ``older_than`` seconds, oldest first."""
    limit = time.monotonic() - older_than
    return [entry for entry in snapshot() if entry.since < limit]


def diff(before: Sequence[Entry], after: Sequence[Entry]) -> Difference:
    """What is in one snapshot (or a part of one) and not in the other.

    A resource is known by its kind, address, site and time; one that was closed and opened anew counts as both.
    """
    gone, come = Counter(map(_identity, before)), Counter(map(_identity, after))
    return Difference(
        opened=[entry for entry in after if not gone[_identity(entry)]],
        closed=[entry for entry in before if not come[_identity(entry)]],
    )


def _identity(entry: Entry) -> tuple[str, int, float, Site]:
    return entry.kind, entry.address, entry.since, entry.site


def assert_empty() -> None:
    """Wait for the safety net, then raise ``LeaksFound`` with a line for each site if anything is open."""
    drain()
    lines = by_site()
    if lines:
        table = "\n".join(f"  {line.open} × {line.kind}, opened at {line.site}" for line in lines)
        raise LeaksFound(count=sum(line.open for line in lines), table=table)
