"""The books as Prometheus metrics: one table says what each number is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

__all__ = ["METRICS", "exposition"]

Numbers = Mapping[str, int | float]

#: Name in the books: whether it only grows, and what it is.
METRICS: Final[dict[str, tuple[bool, str]]] = {
    "received": (True, "events received"),
    "sealed": (True, "events sealed"),
    "sealed_bytes": (True, "bytes of sealed fields"),
    "stored": (True, "events written to segments"),
    "stored_bytes": (True, "bytes written to segments"),
    "frames": (True, "frames written to segments"),
    "syncs": (True, "forced writes to the disk"),
    "store_failures": (True, "writes that failed and will be tried again"),
    "recovered": (True, "events found in the segments at the start"),
    "late": (True, "events that came after their window was closed"),
    "windowless": (True, "events for whose window there was no room"),
    "windows_open": (False, "windows that still take events"),
    "windows_closed": (True, "windows whose results are final"),
    "commits": (True, "commits of results"),
    "commits_put_off": (True, "commits that waited for the disk"),
    "commands": (True, "requests answered"),
    "batches": (True, "reads from sockets that were worked on"),
    "intake_seconds": (True, "seconds spent reading, sealing and collecting events"),
    "seal_seconds": (True, "seconds of these spent leasing keys and sealing"),
    "reply_p50_ms": (False, "milliseconds within which half of all batches were answered"),
    "reply_p99_ms": (False, "milliseconds within which 99 of 100 batches were answered"),
    "bytes_in": (True, "bytes received"),
    "bytes_out": (True, "bytes replied"),
    "waiting_rows": (False, "events not yet written to a segment"),
    "connections": (False, "connections"),
    "connections_opened": (True, "connections that were let in"),
    "connections_closed": (True, "connections that ended"),
    "connections_refused": (True, "connections there was no room for"),
    "protocol_errors": (True, "connections closed for malformed input"),
    "log_lines_lost": (True, "lines of the log that could not be written"),
    "stalled": (True, "connections closed for silence or for not reading"),
    "keys_opened": (True, "data keys derived"),
    "keys_closed": (True, "data keys wiped"),
    "epoch": (False, "the epoch data keys are derived for"),
    "handles_opened": (True, "native resources opened"),
    "handles_closed": (True, "native resources released"),
    "handles_open": (False, "native resources open"),
    "handles_abandoned": (True, "native resources nobody closed"),
    "rss_bytes": (False, "resident memory in bytes"),
    "locked_bytes": (False, "memory that cannot be swapped out, in bytes"),
    "descriptors": (False, "open file descriptors"),
    "cpu_seconds": (True, "processor time of the server in seconds"),
}


def exposition(numbers: Callable[[], Numbers], waits: Sequence[int] = ()) -> bytes:
    """Every number in Prometheus's text format, named ``tenure_…``; ``waits`` as in the books, a histogram."""
    registry = CollectorRegistry()
    registry.register(_Books(numbers, waits))
    return generate_latest(registry)


class _Books:
    """What Prometheus's library collects from."""

    def __init__(self, numbers: Callable[[], Numbers], waits: Sequence[int]) -> None:
        self._numbers, self._waits = numbers, waits

    def collect(self) -> Iterator[Metric]:
        for name, value in self._numbers().items():
            grows, what = METRICS[name]
            family = CounterMetricFamily if grows else GaugeMetricFamily
            yield family(f"tenure_{name}", what, value=value)
        if self._waits:
            bounds = [*(str((1 << number) / 1e6) for number in range(len(self._waits) - 1)), "+Inf"]
            buckets = list(zip(bounds, accumulate(self._waits), strict=True))
            yield HistogramMetricFamily(
                "tenure_reply_seconds", "from a batch read to its reply", buckets, sum_value=None
            )
