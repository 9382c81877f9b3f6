"""Flights into a server, through redis-py as any client would: pipelined, and every answer looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import redis

from tenure.pipeline.flights import STREAM, Departure

__all__ = ["Fed", "feed"]


@dataclass
class Fed:
    """What a feed did."""

    sent: int = 0
    acknowledged: int = 0
    refused: list[str] = field(default_factory=list)
    seconds: float = 0.0
    #: Seconds from sending a batch to its last answer, one for each batch.
    waits: list[float] = field(default_factory=list)

    def wait(self, share: float) -> float:
        """The wait that this share of the batches did not exceed."""
        ordered = sorted(self.waits)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def feed(client: redis.Redis, departures: Sequence[Departure], batch: int, progress: Callable[[int], object]) -> Fed:
    """Send every flight; ``progress`` hears how many were answered."""
    fed = Fed()
    began = time.perf_counter()
    for at in range(0, len(departures), batch):
        pipeline = client.pipeline(transaction=False)
        for departure in departures[at : at + batch]:
            pipeline.execute_command("XADD", STREAM, "*", *_words(departure))  # type: ignore[no-untyped-call]
        sent = time.perf_counter()
        answers = pipeline.execute(raise_on_error=False)
        fed.waits.append(time.perf_counter() - sent)
        fed.sent += len(answers)
        wrong = [str(answer) for answer in answers if isinstance(answer, Exception)]
        fed.acknowledged += len(answers) - len(wrong)
        fed.refused += wrong[:10]
        progress(len(answers))
    fed.seconds = time.perf_counter() - began
    return fed


def _words(departure: Departure) -> list[str | int]:
    """The fields of a flight."""
    delay: list[str | int] = ["dep_delay", departure.delay] if departure.delay else []
    return [
        *("tenant", departure.tenant, "time", departure.hour),
        *delay,
        *("dest", departure.destination, "secret", departure.secret),
    ]
