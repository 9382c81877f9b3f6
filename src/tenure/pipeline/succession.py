"""The order in which rows were sealed: one that stands in the log twice, or behind one that was later, shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tenure.pipeline.segments import Frame

__all__ = ["Misplaced", "Succession", "followed"]

Ints = npt.NDArray[np.int64]


def _none() -> Ints:
    return np.empty(0, dtype=np.int64)


class Misplaced(NamedTuple):
    """Rows of a frame that cannot stand where they do."""

    path: Path
    number: int
    rows: Ints

    def __str__(self) -> str:
        count = f"{len(self.rows):,} row{'s stand' if len(self.rows) > 1 else ' stands'}"
        return f"{self.path.name}, frame {self.number}: {count} there twice or out of order, first row {self.rows[0]}"


@dataclass
class Succession:
    """Follows the counters of all keys through a log, frame by frame.

    A process draws its salt once, begins a new epoch when it has closed every key of the last one, and counts the
    records of each key. So salts never come back, epochs never fall, and under one key every counter is above all
    before it; what breaks this was put there by somebody else. Gaps are none of it: old segments may be gone.
    """

    salts: set[bytes] = field(default_factory=set)
    salt: bytes = b""
    epoch: int = 0
    #: The keys of this epoch that were seen, sorted, and the highest counter of each.
    keys: Ints = field(default_factory=_none)
    counted: Ints = field(default_factory=_none)

    def misplaced(self, frame: Frame, rows: Ints | None = None) -> Ints:
        """Which rows of the frame, all of them or these, cannot stand where they do."""
        rows = np.arange(frame.batch.num_rows) if rows is None else rows
        salt = frame.header.root.salt
        if salt != self.salt:
            if salt in self.salts:
                return rows
            self.salts.add(salt)
            self.salt, self.epoch = salt, 0
            self.forget()
        columns = [frame.batch.column(name).to_numpy() for name in ("epoch", "key", "counter")]
        if len(rows) < frame.batch.num_rows:
            columns = [column[rows] for column in columns]
        epochs, keys, counters = (column.astype(np.int64) for column in columns)
        highest = np.maximum.accumulate(np.maximum(epochs, self.epoch))
        fallen = epochs < highest
        for start, stop in pairwise([0, *(np.flatnonzero(np.diff(highest)) + 1).tolist(), len(highest)]):
            if stop > start and highest[start] > self.epoch:
                self.epoch = int(highest[start])
                self.forget()
            mine = start + np.flatnonzero(~fallen[start:stop])
            fallen[mine] = self._fallen(keys[mine], counters[mine])
        return np.asarray(rows[fallen])

    def forget(self) -> None:
        """Nothing was seen of any key."""
        self.keys, self.counted = _none(), _none()

    def _fallen(self, keys: Ints, counters: Ints) -> npt.NDArray[np.bool_]:
        """Which counters are not above all before them under the same key."""
        fallen = np.zeros(len(keys), dtype=np.bool_)
        if not len(keys):
            return fallen
        # Numbers of 16 bits are sorted by their digits, and the keys of one frame are seldom further apart.
        above = keys - keys.min()
        order = np.argsort(above.astype(np.uint16) if above.max() < 1 << 16 else above, kind="stable")
        sorted_keys, mine = keys[order], counters[order]
        starts = np.concatenate(([0], np.flatnonzero(np.diff(sorted_keys)) + 1))
        places = self._places(sorted_keys[starts])
        before = np.concatenate(([0], mine[:-1]))
        before[starts] = self.counted[places]
        highest = np.maximum.reduceat(mine, starts)
        if not (mine > before).all():  # a log as it was written is never looked through key by key
            for start, stop in pairwise([*starts.tolist(), len(mine)]):
                so_far = np.maximum.accumulate(np.concatenate((before[start : start + 1], mine[start : stop - 1])))
                fallen[order[start:stop]] = mine[start:stop] <= so_far
        self.counted[places] = np.maximum(self.counted[places], highest)
        return fallen

    def _places(self, wanted: Ints) -> Ints:
        """Where these keys, which are sorted, stand among the known ones; those that are new are known from now on."""
        new = np.setdiff1d(wanted, self.keys, assume_unique=True)
        if len(new):
            order = np.argsort(keys := np.concatenate((self.keys, new)))
            self.counted = np.concatenate((self.counted, np.full(len(new), -1)))[order]
            self.keys = keys[order]
        return np.searchsorted(self.keys, wanted)


def followed(frames: Iterable[Frame], wrong: list[Misplaced]) -> Iterator[Frame]:
    """The frames, as they are; to ``wrong`` goes what stands in them twice or out of order."""
    succession = Succession()
    for frame in frames:
        rows = succession.misplaced(frame)
        if len(rows):
            wrong.append(Misplaced(frame.path, frame.number, rows))
        yield frame
