"""``tenure incident``: the use-after-free incident, lived through for real under five remedies."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from tenure.cli.amounts import at_least
from tenure.pipeline.incident.remedies import REMEDIES
from tenure.pipeline.incident.trial import Outcome, live_through

__all__ = ["UNFORESEEN", "add_arguments", "mistakes", "run"]

UNFORESEEN: Final = "this is a mistake in tenure itself; the incident was not lived through"

#: Kinds of memory each remedy is tried with.
_KINDS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--requests", type=at_least(1), default=100_000, metavar="N", help="requests a run (default: 100000)"
    )
    parser.add_argument(
        "--runs", type=at_least(1), default=2, metavar="N", help="runs with each kind of memory (default: 2)"
    )
    parser.add_argument("--json", action="store_true", help="the outcomes as JSON")


def mistakes() -> tuple[type[Exception], ...]:
    """What an operator can put right."""
    return ()


def run(args: argparse.Namespace) -> int:
    """Live through it; 0 if the last remedy, tenure, came through unharmed, 1 if not."""
    console = Console(stderr=args.json)
    outcomes = _with_progress(console, args.requests, args.runs)
    if args.json:
        json.dump([_plain(outcome) for outcome in outcomes], sys.stdout, indent=1)
        print()
    else:
        console.print(_table(outcomes))
        for outcome in outcomes:
            console.print(f"[bold]{outcome.remedy}[/]: {outcome.sentence}", highlight=False)
            if outcome.first_line:
                console.print(f"  died saying: {outcome.first_line}", highlight=False, style="red")
    last = outcomes[-1]
    return int(any((last.crashes, last.total("double_frees"), last.total("leaked"), last.total("wrong"))))


def _with_progress(console: Console, requests: int, runs: int) -> list[Outcome]:
    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as bar:
        bars = {remedy: bar.add_task(remedy, total=requests * runs * _KINDS) for remedy in REMEDIES}
        return live_through(requests, runs, lambda remedy, served: bar.update(bars[remedy], completed=served))


def _plain(outcome: Outcome) -> dict[str, object]:
    totals = {fact: outcome.total(fact) for fact in ("double_frees", "leaked", "wrong", "refused", "requests")}
    return {
        "remedy": outcome.remedy,
        "runs": len(outcome.lives),
        "crashes": outcome.crashes,
        **totals,
        "rps": outcome.rate,
        "rss_bytes_per_request": outcome.slope,
        "first_line": outcome.first_line,
    }


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(title="One load, five ways to free a key", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("remedy", no_wrap=True)
    for name in ("crashed", "double frees", "wrong reads", "leaked", "noticed", "req/s", "RSS, B/req"):
        table.add_column(name, justify="right", no_wrap=" " not in name)
    for outcome in outcomes:
        table.add_row(
            outcome.remedy,
            f"{outcome.crashes} of {len(outcome.lives)}",
            *(f"{outcome.total(fact):,}" for fact in ("double_frees", "wrong", "leaked", "refused")),
            "–" if outcome.rate is None else f"{outcome.rate:,.0f}",
            "–" if outcome.slope is None else f"{outcome.slope:+.1f}",
        )
    return table
