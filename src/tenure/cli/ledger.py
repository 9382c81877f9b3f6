"""``tenure ledger``: what a running process holds open, by the line that opened it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from tenure.runtime.look import NotToBeSeen, look, visible

__all__ = ["UNFORESEEN", "add_arguments", "age", "amount", "mistakes", "run", "table"]

UNFORESEEN: Final = "this is a mistake in tenure itself"
#: Upper bound, its size in the unit, the unit.
_AGES: Final = ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h"), (float("inf"), 86400, "d"))
_KIB: Final = 1 << 10
_AMOUNTS: Final = (
    (_KIB, 1, "B"),
    (_KIB**2, _KIB, "KiB"),
    (_KIB**3, _KIB**2, "MiB"),
    (float("inf"), _KIB**3, "GiB"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which process, once or again and again, for people or for programs."""
    parser.add_argument("pid", nargs="?", type=int, metavar="PID", help="the process (default: list those to be seen)")
    parser.add_argument("--json", action="store_true", help="the ledger as JSON; with --watch, one a line")
    parser.add_argument(
        "--watch", nargs="?", type=float, const=2.0, metavar="SECONDS", help="look again every so often (default: 2)"
    )


def mistakes() -> tuple[type[Exception], ...]:
    """What an operator can put right."""
    return (NotToBeSeen,)


def run(args: argparse.Namespace, sleep: Callable[[float], object] = time.sleep) -> int:
    """Look, and show what was seen; with ``--watch`` until the process ends."""
    try:
        if args.pid is None:
            _list(visible(), args.json)
            return 0
        return _show(args, sleep)
    except KeyboardInterrupt:
        return 0


def _show(args: argparse.Namespace, sleep: Callable[[float], object]) -> int:
    tell = json.dumps if args.json else _told
    print(tell(look(args.pid)))
    while args.watch is not None:
        sys.stdout.flush()
        sleep(args.watch)
        try:
            seen = look(args.pid)
        except NotToBeSeen as end:
            print(f"tenure ledger: {end}", file=sys.stderr)
            return 0
        if sys.stdout.isatty() and not args.json:
            print("\033[2J\033[H", end="")
        print(tell(seen))
    return 0


def _told(seen: dict[str, Any]) -> str:
    counts, since = seen["counts"], seen["since_last_look"]
    ago = "" if since is None else f"; growth since the last look, {age(since)} ago"
    head = (
        f"process {seen['pid']} ({seen['implementation']}): {counts['open']} open, {amount(counts['size'])}; "
        f"{counts['opened']} opened, {counts['closed']} closed, {counts['abandoned']} abandoned{ago}"
    )
    rows = [
        (
            str(line["open"]),
            "" if line["growth"] is None else f"{line['growth']:+d}" if line["growth"] else "0",
            amount(line["bytes"]),
            age(line["oldest"]) if line["open"] else "",
            line["kind"],
            line["site"],
        )
        for line in seen["lines"]
    ]
    return "\n".join([head, *table(("OPEN", "GROWTH", "BYTES", "OLDEST", "KIND", "OPENED AT"), rows, right=4)])


def _list(seen: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(seen))
        return
    if not seen:
        print("No process shows its ledger. Start one with TENURE_INSPECT=1, or call tenure.inspect.serve() in it.")
        return
    rows = [
        (str(one["pid"]), str(one["counts"]["open"]), amount(one["counts"]["size"]), " ".join(one["command"]))
        for one in seen
    ]
    print("\n".join(table(("PID", "OPEN", "BYTES", "COMMAND"), rows, right=3)))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: int) -> list[str]:
    """Lines of columns, the first ``right`` of them flush right; none if there are no rows."""
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if i < right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]


def age(seconds: float) -> str:
    """A span of time in the unit a person would take."""
    return _in_units(seconds, _AGES)


def amount(size: int) -> str:
    """A number of bytes in the unit a person would take."""
    return _in_units(size, _AMOUNTS)


def _in_units(number: float, units: Sequence[tuple[float, int, str]]) -> str:
    _, size, unit = next(each for each in units if number < each[0])
    return f"{number / size:.0f} {unit}" if size == 1 else f"{number / size:.1f} {unit}"
