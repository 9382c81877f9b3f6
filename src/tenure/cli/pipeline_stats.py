"""``tenure pipeline stats``: the books of a running server, once or again and again."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from tenure.cli import pipeline_client
from tenure.cli.amounts import seconds

__all__ = ["add_arguments", "run", "table_of"]

Numbers = Mapping[str, float]

#: What is shown, in this order: name in the books, name for a person, whether its rate is worth showing.
ROWS: Final = (
    ("received", "received", True),
    ("sealed", "sealed", True),
    ("stored", "stored", True),
    ("late", "late", True),
    ("windowless", "in no window", True),
    ("reply_p50_ms", "half of the batches answered within, ms", False),
    ("reply_p99_ms", "99 % of the batches answered within, ms", False),
    ("windows_open", "windows open", False),
    ("windows_closed", "windows closed", True),
    ("connections", "connections", False),
    ("protocol_errors", "malformed", True),
    ("stalled", "stalled", True),
    ("keys_opened", "keys opened", True),
    ("keys_closed", "keys closed", True),
    ("handles_open", "handles open", False),
    ("handles_abandoned", "handles nobody closed", True),
    ("store_failures", "writes that failed", True),
    ("rss_bytes", "resident memory, bytes", False),
    ("locked_bytes", "locked memory, bytes", False),
    ("descriptors", "descriptors", False),
    ("cpu_seconds", "processor, seconds", True),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whom to ask, and how often."""
    pipeline_client.add_arguments(parser)
    parser.add_argument("--watch", type=seconds, nargs="?", const=1.0, metavar="SECONDS", help="again and again")


def run(args: argparse.Namespace) -> int:
    """Ask INFO and show it; 1 if nobody answers."""
    import redis

    client = pipeline_client.client_of(args, socket_timeout=5)
    try:
        now = client.info()
        if args.watch is None:
            Console().print(table_of(now, None, 0.0))
            return 0
        _watch(client.info, args.watch)
    except redis.RedisError as error:
        lost = isinstance(error, (redis.ConnectionError, redis.TimeoutError)) and not isinstance(
            error, redis.AuthenticationError
        )
        what = "no server answers there" if lost else "the server refuses"
        print(f"tenure pipeline stats: {what}: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    finally:
        client.close()
    return 0


def _watch(info: object, seconds: float) -> None:
    """Until Ctrl-C."""
    assert callable(info)
    with Live(auto_refresh=False) as live:
        before, at = info(), time.monotonic()
        while True:
            time.sleep(seconds)
            now, then = info(), time.monotonic()
            live.update(table_of(now, before, then - at), refresh=True)
            before, at = now, then


def table_of(now: Numbers, before: Numbers | None, seconds: float) -> Table:
    """The numbers, and how fast they grow if there is a look before this one, ``seconds`` ago."""
    table = Table(title="tenure pipeline")
    table.add_column("")
    table.add_column("now", justify="right")
    if before is not None:
        table.add_column("a second", justify="right")
    for name, label, rated in ROWS:
        cells = [label, f"{now[name]:,.3f}" if name.endswith("_ms") else f"{now[name]:,.0f}"]
        if before is not None:
            cells.append(f"{(now[name] - before[name]) / seconds:,.1f}" if rated else "")
        table.add_row(*cells)
    return table
