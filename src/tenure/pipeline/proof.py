"""The main job, and its audit: what was sent against what was sealed, stored, counted, opened and closed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tenure.pipeline.assembly import BOOKS
from tenure.pipeline.feed import Fed
from tenure.pipeline.opening import Opened, Opener
from tenure.pipeline.query import Answer, ask, frames_in
from tenure.pipeline.seal.libcrypto import Libcrypto
from tenure.pipeline.seal.master import read_master_key
from tenure.pipeline.segments import Damage
from tenure.pipeline.settings import Settings
from tenure.pipeline.succession import Misplaced, followed

__all__ = ["TOP_TEN", "Line", "audit", "last_books", "one_opened"]

#: What `make run` asks: which airline at which airport kept people waiting.
TOP_TEN = """
SELECT tenant AS "airline:from", sum(events)::BIGINT AS flights, sum(count)::BIGINT AS departed,
       round(sum(sum) / sum(count), 1) AS "mean delay", round(max(p99), 0) AS "worst p99", max(max) AS longest
FROM windows WHERE field = 'dep_delay' GROUP BY tenant ORDER BY 4 DESC LIMIT 10
"""


@dataclass(frozen=True)
class Line:
    """One line of the audit: two numbers that should be the same."""

    what: str
    expected: int | float
    found: int | float

    @property
    def balanced(self) -> bool:
        """Whether they are."""
        return self.expected == self.found


def last_books(directory: Path) -> dict[str, int | float]:
    """The books a server wrote when it had closed everything."""
    read: dict[str, int | float] = json.loads((directory / BOOKS).read_text("utf-8"))
    return read


def audit(directory: Path, fed: Fed, books: Mapping[str, int | float]) -> list[Line]:
    """The books against what was sent and against what is on the disk, read anew."""
    damage: list[Damage] = []
    misplaced: list[Misplaced] = []
    on_disk = sum(frame.batch.num_rows for frame in followed(frames_in(directory, damage), misplaced))
    in_windows = _one_number(
        ask(directory, f"SELECT sum(events)::BIGINT FROM windows WHERE field = '{_any_field(directory)}'")
    )
    return [
        Line("events acknowledged", fed.sent, fed.acknowledged),
        Line("events sealed", fed.acknowledged, books["sealed"]),
        Line("events stored", fed.acknowledged, books["stored"]),
        Line("events on the disk", fed.acknowledged, on_disk),
        Line("events in windows + late", fed.acknowledged, in_windows + books["late"] + books["windowless"]),
        Line("damaged frames", 0, len(damage)),
        Line("rows twice or misplaced", 0, sum(len(found.rows) for found in misplaced)),
        Line("keys opened = closed", books["keys_opened"], books["keys_closed"]),
        Line("handles opened = closed", books["handles_opened"], books["handles_closed"]),
        Line("leaked", 0, books["handles_abandoned"] + books["handles_open"]),
    ]


def _any_field(directory: Path) -> str:
    """One of the value fields: each window has one result for each, so one is enough to count events."""
    rows = ask(directory, "SELECT min(field) FROM windows").rows
    return str(rows[0][0])


def _one_number(answer: Answer) -> int:
    """The only number of an answer."""
    return int(answer.rows[0][0] or 0)


def one_opened(settings: Settings) -> tuple[str, bytes, Opened]:
    """The first record of the log: where it lies, as it is kept, and opened."""
    libcrypto = Libcrypto(settings.seal.libcrypto)
    frame = next(frames_in(settings.directory))
    with read_master_key(Path(settings.seal.key_file)) as master, Opener(libcrypto, master) as opener:
        sealed: bytes = frame.batch.column("sealed")[0].as_py()
        return f"{frame.path.name}, frame {frame.number}, row 0", sealed, next(opener.opened(frame))
