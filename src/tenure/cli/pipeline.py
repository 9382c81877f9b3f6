"""``tenure pipeline``: make a key, run the server, feed it, ask it, open what it sealed, and prove it all adds up."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenure.cli import pipeline_client, pipeline_proof, pipeline_stats
from tenure.cli.amounts import at_least
from tenure.pipeline import settings as pipeline_settings
from tenure.pipeline.settings import Settings

if TYPE_CHECKING:
    from tenure.pipeline.opening import RecordRefused
    from tenure.pipeline.segments import Damage
    from tenure.pipeline.succession import Misplaced

__all__ = ["PARTS", "UNFORESEEN", "add_arguments", "mistakes", "run", "settings_of"]

UNFORESEEN: Final = "this is a mistake in tenure itself"

CONFIG: Final = """\
# tenure pipeline: what is not said here has the default shown by `tenure pipeline run --help`.

[front]
host = "127.0.0.1"
port = 6390

[fields]
tenant = "tenant"
time = "time"
values = ["v"]
secret = ["secret"]

[seal]
key_file = "tenure.key"

[windows]
width_seconds = 60
lateness_seconds = 10

[keep]
directory = "tenure-data"
fsync = "everysec"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One subcommand for each part."""
    parts = parser.add_subparsers(dest="part", required=True, metavar="part")
    for name, (sentence, arguments, function) in PARTS.items():
        part = parts.add_parser(name, help=sentence, description=sentence)
        arguments(part)
        part.set_defaults(part_run=function)


def mistakes() -> tuple[type[Exception], ...]:
    """What an operator can put right."""
    from tenure.pipeline.flights import FlightsMissing
    from tenure.pipeline.opening import RecordRefused, WrongKey
    from tenure.pipeline.query import NothingAsked, NothingKept
    from tenure.pipeline.results import ResultsUnreadable
    from tenure.pipeline.seal.libcrypto import LibcryptoError
    from tenure.pipeline.seal.master import MasterKeyError
    from tenure.pipeline.segments import SegmentError
    from tenure.pipeline.writer import LogInUse

    return (
        pipeline_settings.SettingsError,
        LogInUse,
        ResultsUnreadable,
        MasterKeyError,
        LibcryptoError,
        SegmentError,
        RecordRefused,
        WrongKey,
        FlightsMissing,
        NothingAsked,
        NothingKept,
    )


def run(args: argparse.Namespace) -> int:
    """Do the part."""
    return int(args.part_run(args))


def _common(parser: argparse.ArgumentParser) -> None:
    """Where the settings come from."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (TOML); default: tenure.toml if there")
    parser.add_argument("--data", metavar="DIRECTORY", help="where events and results are kept")
    parser.add_argument("--key-file", metavar="FILE", help="the master key")


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings from the file, changed by what the command line says."""
    default = Path("tenure.toml")
    path = args.config or (default if default.exists() else None)
    settings = pipeline_settings.load(path) if path else Settings()
    if args.data:
        settings = replace(settings, keep=replace(settings.keep, directory=args.data))
    if args.key_file:
        settings = replace(settings, seal=replace(settings.seal, key_file=args.key_file))
    return settings


def _init_arguments(parser: argparse.ArgumentParser) -> None:
    """What init takes."""
    _common(parser)


def _init(args: argparse.Namespace) -> int:
    """Make a key and, if there is none, a file of settings."""
    from tenure.pipeline.seal.master import make_master_key

    config = args.config or Path("tenure.toml")
    if not config.exists():
        config.write_text(CONFIG, "utf-8")
        print(f"wrote the settings {config}")
    args.config = config
    key_file = Path(settings_of(args).seal.key_file)
    make_master_key(key_file)
    print(
        f"made the master key {key_file}: only you can read it. Keep a copy elsewhere; without it nothing opens again."
    )
    return 0


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    """What run takes."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"every setting, with its default:\n\n{pipeline_settings.shown(Settings())}"
    _common(parser)
    parser.add_argument("--host", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default 6390; 0: any)")
    parser.add_argument("--unix", metavar="PATH", help="listen on a Unix socket too")
    parser.add_argument("--eyes", type=int, metavar="PORT", help="dashboard and metrics on 127.0.0.1 (0: any port)")
    parser.add_argument("--fsync", choices=pipeline_settings.FSYNC, help="when events are forced onto the disk")


def _serve(args: argparse.Namespace) -> int:
    """Run the server until SIGTERM, Ctrl-C or SHUTDOWN."""
    from tenure.pipeline.assembly import Opening
    from tenure.pipeline.assembly import serve as serve_pipeline

    settings = settings_of(args)
    asked = {name: getattr(args, name) for name in ("host", "port", "unix") if getattr(args, name) is not None}
    settings = replace(settings, front=replace(settings.front, **asked))
    if args.eyes is not None:
        settings = replace(settings, eyes=replace(settings.eyes, port=args.eyes))
    if args.fsync:
        settings = replace(settings, keep=replace(settings.keep, fsync=args.fsync))

    pipeline_settings.checked(settings, "the command line")

    def opened(opening: Opening) -> None:
        for flaw in (*opening.recovered.damage, *opening.recovered.misplaced):
            print(flaw)
        print(f"{opening.libcrypto}: AES-256-GCM {opening.gigabytes_per_second:.1f} GB/s here")
        print(f"{opening.intake}, {opening.runtime} runtime, {opening.recovered.events:,} events recovered")
        print(f"listening on {', '.join(opening.where)}", flush=True)

    books = serve_pipeline(settings, opened)
    print(f"stopped: {books['received']:,} received, {books['stored']:,} stored, {books['handles_open']} handles open")
    return 0 if books["received"] == books["stored"] and not books["handles_open"] else 1


def _feed_arguments(parser: argparse.ArgumentParser) -> None:
    """What feed takes."""
    parser.add_argument("what", choices=["flights"], help="the 336,776 departures from New York in 2013")
    pipeline_client.add_arguments(parser)
    pipeline_proof.flights_arguments(parser)


def _feed_flights(args: argparse.Namespace) -> int:
    """Feed a server that runs."""
    import redis

    try:
        with pipeline_client.client_of(args) as client:
            fed = pipeline_proof.fed_with_progress(Console(stderr=True), args, client)
    except redis.RedisError as error:
        print(f"tenure pipeline feed: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    print(f"{fed.acknowledged:,} of {fed.sent:,} acknowledged, {fed.sent / fed.seconds:,.0f} events/s")
    for refused in fed.refused[:3]:
        print(f"refused: {refused}")
    return 0 if fed.acknowledged == fed.sent else 1


def _query_arguments(parser: argparse.ArgumentParser) -> None:
    """What query takes."""
    _common(parser)
    parser.add_argument("statement", help='SQL over "windows" and "events"')


def _query(args: argparse.Namespace) -> int:
    """Ask one question."""
    import duckdb

    from tenure.pipeline.query import ask

    flaws: list[Damage | Misplaced] = []
    try:
        answer = ask(settings_of(args).directory, args.statement, flaws)
    except duckdb.Error as error:
        print(f"tenure pipeline query: {error}", file=sys.stderr)
        return 2
    _tell("query", flaws)
    table = Table()
    for column in answer.columns:
        table.add_column(Text(column))
    for row in answer.rows:
        table.add_row(*(Text(pipeline_proof.shown(value)) for value in row))
    Console().print(table)
    return 0


def _open_arguments(parser: argparse.ArgumentParser) -> None:
    """What open takes."""
    _common(parser)
    parser.add_argument("--limit", type=at_least(0), default=10, help="how many records (default 10, 0: all)")


def _open_records(args: argparse.Namespace) -> int:
    """Unseal records, oldest first; one that is refused is told of, and the others go on. 1 if there was one."""
    from tenure.pipeline.opening import Opener
    from tenure.pipeline.query import frames_in
    from tenure.pipeline.seal.libcrypto import Libcrypto
    from tenure.pipeline.seal.master import read_master_key
    from tenure.pipeline.succession import Succession

    settings = settings_of(args)
    libcrypto = Libcrypto(settings.seal.libcrypto)
    damage: list[Damage] = []
    refused: list[RecordRefused] = []
    with read_master_key(Path(settings.seal.key_file)) as master, Opener(libcrypto, master) as opener:
        succession = Succession()
        events = (
            event
            for frame in frames_in(settings.directory, damage)
            for event in opener.readable(frame, refused.append, succession)
        )
        for event in islice(events, args.limit or None):
            print(f"{event.stream} {event.tenant} {event.id} {event.values} {event.rest} {event.secret}")
    _tell("open", [*damage, *refused])
    return 1 if refused else 0


def _tell(part: str, wrong: Iterable[object]) -> None:
    """What could not be read, a line each."""
    for what in wrong:
        print(f"tenure pipeline {part}: {what}", file=sys.stderr)


#: Each part: its sentence, its arguments, and what it does.
PARTS: Final[dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], int]]]] = {
    "init": ("make a master key and a file of settings", _init_arguments, _init),
    "run": ("run the server", _run_arguments, _serve),
    "feed": ("feed a running server with real events", _feed_arguments, _feed_flights),
    "query": ("ask a question in SQL", _query_arguments, _query),
    "stats": ("show the numbers of a running server", pipeline_stats.add_arguments, pipeline_stats.run),
    "open": ("unseal records", _open_arguments, _open_records),
    "prove": (
        "start a server, feed it all flights, and balance its books",
        pipeline_proof.add_arguments,
        pipeline_proof.run,
    ),
}
