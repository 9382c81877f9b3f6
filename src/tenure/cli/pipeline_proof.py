"""``tenure pipeline prove``: the main job on real input, watched from start to end, and its books at the end."""

from __future__ import annotations

import argparse
import importlib.resources
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

from tenure.cli.amounts import at_least

if TYPE_CHECKING:
    from tenure.pipeline.feed import Fed
    from tenure.pipeline.proof import Line
    from tenure.pipeline.query import Answer
    from tenure.pipeline.settings import Settings

__all__ = ["add_arguments", "fed_with_progress", "flights_arguments", "run", "shown"]

LISTENING = "listening on "


def flights_arguments(parser: argparse.ArgumentParser) -> None:
    """What feeding flights takes."""
    parser.add_argument("--flights", type=Path, default=Path("build/data"), metavar="DIRECTORY", help="where they are")
    parser.add_argument("--batch", type=at_least(1), default=1000, help="events a pipeline (default 1000)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What prove takes."""
    flights_arguments(parser)
    parser.add_argument("--keep", type=Path, metavar="DIRECTORY", help="leave everything in this new directory")


def run(args: argparse.Namespace) -> int:
    """Start, feed, drain, audit, show. 0 only if the books balance."""
    console = Console()
    directory = args.keep or Path(tempfile.mkdtemp(prefix="tenure-prove-"))
    directory.mkdir(parents=True, exist_ok=True)
    try:
        return _proved(console, args, directory)
    finally:
        if not args.keep:
            shutil.rmtree(directory)


def _proved(console: Console, args: argparse.Namespace, directory: Path) -> int:
    """The job itself."""
    from tenure.pipeline.proof import TOP_TEN, audit, last_books
    from tenure.pipeline.query import ask
    from tenure.pipeline.seal.master import make_master_key
    from tenure.pipeline.settings import load

    config = directory / "tenure.toml"
    config.write_text(importlib.resources.files("tenure.pipeline").joinpath("flights.toml").read_text("utf-8"), "utf-8")
    settings = load(config)
    make_master_key(Path(settings.seal.key_file))
    command = [sys.executable, "-m", "tenure", "pipeline", "run", "--config", str(config), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = _listening_port(console, server)
        with redis.Redis(port=port) as client:
            fed = fed_with_progress(console, args, client)
        with console.status("draining"):
            _shut_down(port)
            status = server.wait(timeout=60)
    finally:
        server.kill()
        server.wait()
        assert server.stdout is not None
        server.stdout.close()
    books = last_books(settings.directory)
    _show_figures(console, fed, books)
    lines = audit(settings.directory, fed, books)
    console.print(_audit_table(lines))
    console.print(_answer_table(ask(settings.directory, TOP_TEN), "Who kept people waiting, and where (minutes)"))
    _show_record(console, settings)
    return _verdict(console, lines, status)


def _listening_port(console: Console, server: subprocess.Popen[str]) -> int:
    """What the server says before it listens, and where it does."""
    assert server.stdout is not None
    for line in server.stdout:
        console.print(Text(f"server: {line.rstrip()}", style="dim"))
        if line.startswith(LISTENING):
            return int(line.rpartition(":")[2])
    raise RuntimeError(f"the server did not start; it ended with status {server.wait()}")


def _shut_down(port: int) -> None:
    """Ask the server to drain."""
    with redis.Redis(port=port) as client:
        client.shutdown()


def fed_with_progress(console: Console, args: argparse.Namespace, client: redis.Redis) -> Fed:
    """Read the flights and feed them, with a bar."""
    from tenure.pipeline.feed import feed
    from tenure.pipeline.flights import departures, find_archive

    with console.status("reading 336,776 flights"):
        flights = departures(find_archive(args.flights))
    columns = (SpinnerColumn(), TextColumn("feeding"), BarColumn(40), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("flights", total=len(flights))
        return feed(client, flights, args.batch, lambda count: progress.advance(bar, count))


def _show_figures(console: Console, fed: Fed, books: dict[str, int | float]) -> None:
    """The figures of the run."""
    cpu = books["intake_seconds"] / max(books["received"], 1) * 1e6
    figures = {
        "events/s (redis-py, one connection)": f"{fed.sent / fed.seconds:,.0f}",
        "a batch answered, p50 / p99": f"{fed.wait(0.5) * 1e3:.1f} / {fed.wait(0.99) * 1e3:.1f} ms",
        "read, sealed and collected, an event": f"{cpu:.2f} µs",
        "windows closed / still open": f"{books['windows_closed']:,} / {books['windows_open']:,}",
        "late events": f"{books['late']:,}",
        "sealed events on the disk": f"{books['stored_bytes'] / 1e6:,.1f} MB in {books['frames']:,} frames",
        "RSS at start / end": f"{books['rss_at_start'] / 1e6:.1f} / {books['rss_bytes'] / 1e6:.1f} MB",
    }
    table = Table(show_header=False, box=None)
    for name, value in figures.items():
        table.add_row(name, Text(value, justify="right"))
    console.print(table)


def _audit_table(lines: list[Line]) -> Table:
    """The audit."""
    table = Table("the books", "expected", "found", "", title="Audit", title_justify="left")
    for line in lines:
        mark = Text("balanced", style="green") if line.balanced else Text("NOT BALANCED", style="bold red")
        table.add_row(line.what, f"{line.expected:,}", f"{line.found:,}", mark)
    return table


def _answer_table(answer: Answer, title: str) -> Table:
    """The rows of a query."""
    table = Table(*(Column(Text(column)) for column in answer.columns), title=title, title_justify="left")
    for row in answer.rows:
        table.add_row(*(Text(shown(value)) for value in row))
    return table


def _show_record(console: Console, settings: Settings) -> None:
    """One record as it lies on the disk, and opened."""
    from tenure.pipeline.proof import one_opened

    where, sealed, opened = one_opened(settings)
    console.print(Text(f"One record ({where})\n  sealed  {sealed.hex()}\n  opened  {opened.secret['secret']}"))
    console.print(Text(f"          {opened.tenant} {opened.values} {opened.rest} {opened.id}", style="dim"))


def _verdict(console: Console, lines: list[Line], status: int) -> int:
    """The last line, and the exit status."""
    wrong = [line.what for line in lines if not line.balanced]
    if status:
        wrong.append(f"the server ended with status {status}")
    console.print(Text(f"NOT balanced: {'; '.join(wrong)}", style="bold red") if wrong else Text("The books balance."))
    return 1 if wrong else 0


def shown(value: object) -> str:
    """A value as a person reads it."""
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds")
    return value.hex() if isinstance(value, bytes) else str(value)
