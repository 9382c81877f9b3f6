"""The whole pipeline of one process: every part made, in order, from the settings; at the end closed, in reverse."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, TextIO, cast

import pyarrow as pa

import tenure
from tenure.pipeline.block import schema_of
from tenure.pipeline.books import Books, resident_bytes
from tenure.pipeline.commands import Commands, password_digest
from tenure.pipeline.descriptors import have_descriptors
from tenure.pipeline.event import Plan
from tenure.pipeline.eyes.door import Door
from tenure.pipeline.eyes.log import Log
from tenure.pipeline.forks import Forked, Shared, polls_open, shared
from tenure.pipeline.intake import Intake, Order
from tenure.pipeline.keeper import Keeper
from tenure.pipeline.native import make_intake, make_mark_reader
from tenure.pipeline.opening import Opener
from tenure.pipeline.recovery import Recovered, recover
from tenure.pipeline.resp import Limits
from tenure.pipeline.results import Results
from tenure.pipeline.seal.keyring import Keyring
from tenure.pipeline.seal.libcrypto import Libcrypto
from tenure.pipeline.seal.master import read_master_key
from tenure.pipeline.segments import Header
from tenure.pipeline.server import SIGNALS, Server
from tenure.pipeline.settings import Settings, SettingsError
from tenure.pipeline.windows import Windows
from tenure.pipeline.writer import SegmentWriter, claimed

__all__ = ["BOOKS", "Opening", "serve"]

BOOKS = "books.json"
RESULTS = "results.duckdb"
#: Seconds a thread may go on while the event loop waits for the interpreter.
SWITCH = 0.0005


@dataclass(frozen=True)
class Opening:
    """What is worth saying when the server begins to listen."""

    where: list[str]
    intake: str
    libcrypto: str
    gigabytes_per_second: float
    recovered: Recovered
    runtime: str


def serve(settings: Settings, opened: Callable[[Opening], None]) -> dict[str, int | float]:
    """Run a pipeline until it is told to stop. Its books, balanced or not, after everything is closed."""
    try:
        settings.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError(f"[keep] directory {settings.directory}: {error.strerror}") from error
    have_descriptors(settings.front.max_connections, guarded=bool(settings.front.tls_certificate))
    books, owner = Books(), os.getpid()
    rss = resident_bytes()
    with tenure.Scope() as scope:
        lock = scope.push(claimed(settings.directory))
        server, say = _assembled(settings, books, scope)
        door = _eyes(settings, server, scope)
        seen = [door.where] if door else []
        rss = resident_bytes()
        with lock.lease() as held:
            unheld = [held, *([door.descriptor] if door else [])]
        try:
            _run(server, unheld, lambda where: opened(say([*where, *seen])))
        except BaseException as error:
            if os.getpid() == owner:
                raise
            scope.pop_all()  # nothing of it is this process's to close
            if isinstance(error, Exception):
                raise Forked(owner) from error
            raise
        server.tell("stopped", received=server.intake.sealed, stored=books.stored)
    last = books.snapshot() | {"rss_at_start": rss}
    (settings.directory / BOOKS).write_text(json.dumps(last, indent=1), "utf-8")
    return last


def _eyes(settings: Settings, server: Server, scope: tenure.Scope) -> Door | None:
    """A log and a dashboard, if they are wished for. The dashboard's."""
    eyes = settings.eyes
    log = Log(_log_file(eyes.log, scope)) if eyes.log else None
    server.books.gauges["log_lines_lost"] = lambda: log.lost if log else 0
    if log:
        server.tell = log
        server.tell("started", fsync=settings.keep.fsync, runtime=tenure.implementation)
    if eyes.port < 0:
        return None
    try:
        door = Door(eyes.port, server.books.snapshot, server.books.waits)
    except OSError as error:
        raise SettingsError(f"[eyes] cannot listen on port {eyes.port}: {error.strerror}") from error
    scope.callback(door.close)
    return door


def _log_file(path: str, scope: tenure.Scope) -> TextIO:
    """Where the log goes; each line at once, so that none of it is left to be written when the file is closed."""
    if path == "-":
        return sys.stderr
    try:
        return scope.enter(io.TextIOWrapper(cast(BinaryIO, io.FileIO(path, "a")), "utf-8", write_through=True))
    except OSError as error:
        raise SettingsError(f"[eyes] log {path}: {error.strerror}") from error


def _run(server: Server, unheld: list[int], listening: Callable[[list[str]], None]) -> None:
    """Run the event loop: uvloop's. Whatever makes every request wait is kept short while it runs.

    A child that is forked meanwhile lets go of the server, and of the descriptors in ``unheld``.
    """
    # What is imported when it is first needed is imported while there are descriptors for it.
    for module in ("numpy.ma", "pyarrow.compute"):
        import_module(module)
    # Arrow's own allocator gives every block a huge page anew, which the kernel has to clear first; malloc reuses, and
    # with one heap for everything what is free in it can be used by all and be given back at once.
    pool = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    # What is there by now stays: a full collection need not walk through every library that was imported (45 ms).
    gc.collect()
    gc.freeze()
    interval = sys.getswitchinterval()
    # The loop waits this long, not 5 ms, for the thread that computes results or answers the dashboard.
    sys.setswitchinterval(SWITCH)
    try:
        _looped(server, unheld, listening)
    finally:
        sys.setswitchinterval(interval)
        pa.set_memory_pool(pool)
        gc.unfreeze()


def _looped(server: Server, unheld: list[int], listening: Callable[[list[str]], None]) -> None:
    """Run the event loop to its end. A forked child leaves its copy as it is, for libuv's share memory."""
    import uvloop

    owner, before = os.getpid(), polls_open()
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    try:
        loop = runner.get_loop()
        held = Shared(lambda: [*server.descriptors(), *unheld], polls_open() - before, loop.stop, handlers)
        with shared(held):
            runner.run(server.run(listening))
    finally:
        if os.getpid() == owner:
            runner.close()


def _assembled(settings: Settings, books: Books, scope: tenure.Scope) -> tuple[Server, Callable[[list[str]], Opening]]:
    """Every part, from the key up; the scope closes what has to be closed."""
    libcrypto = Libcrypto(settings.seal.libcrypto)
    master = scope.push(read_master_key(Path(settings.seal.key_file)))
    keyring = Keyring.of(master, libcrypto, settings.fields.values)
    scope.callback(keyring.close)
    sizes = settings.windows
    windows = Windows(sizes.width, sizes.lateness, settings.fields.values, sizes.max_open)
    results = Results(settings.directory / RESULTS)
    plan = Plan(settings.fields)
    with Opener(libcrypto, master) as opener:
        marks = make_mark_reader(opener, plan.counted)
        checkpoint = results.checkpoint()
        recovered = recover(settings.directory, checkpoint, windows, marks, opener.root)
    header = Header(keyring.root, settings.fields.values, schema_of(settings.fields.values))
    keep, front = settings.keep, settings.front
    segments = SegmentWriter(
        settings.directory,
        header,
        keep.segment_bytes,
        keep.block_bytes + front.max_request + (1 << 20),
        checkpoint.place.segment + 1,
    )
    scope.callback(segments.close)
    commands = Commands(
        length=lambda stream: server.intake.tail(stream)[2],
        info=books.snapshot,
        shutdown=lambda: server.stop(),
        settings={"save": "", "appendonly": "yes", "appendfsync": keep.fsync, "port": str(front.port)},
        password=_read_password(front.password_file),
        round=lambda: books.batches,
    )
    order = Order(
        plan,
        Limits(front.max_bulk, front.max_args, front.max_request),
        keyring,
        lambda: time.time_ns() // 1_000_000,
        commands,
        settings.seal.records_per_key,
        settings.seal.max_keys,
        settings.fields.max_streams,
        settings.windows.ahead,
    )
    intake = make_intake(order)
    _resumed(intake, recovered)
    books.gauges |= {
        "keys_opened": lambda: keyring.opened,
        "keys_closed": lambda: keyring.closed,
        "epoch": lambda: keyring.epoch,
        "windows_open": lambda: windows.open,
        "late": lambda: windows.late,
        "windowless": lambda: windows.windowless,
        "recovered": lambda: recovered.events,
    }
    keeper = Keeper(keep, intake, segments, windows, results, books, unsaved=recovered.closed)
    server = Server(settings, intake, keeper, books, commands.password)
    speed = libcrypto.speed()
    return server, lambda where: Opening(
        where, type(intake).__name__, libcrypto.version, speed, recovered, tenure.implementation
    )


def _resumed(intake: Intake, recovered: Recovered) -> None:
    """Go on where the log ends."""
    for stream, tail in recovered.tails.items():
        intake.resume(stream.encode(), tail)


def _read_password(path: str) -> bytes:
    """The digest of the password in a file that nobody else can read; nothing if there is no file."""
    if not path:
        return b""
    try:
        mode = Path(path).stat().st_mode & 0o077
        word = Path(path).read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"[front] password_file {path}: {error.strerror}") from error
    if mode:
        raise SettingsError(f"[front] password_file {path} can be read by others. Say: chmod 600 {path}")
    if not word:
        raise SettingsError(f"[front] password_file {path} is empty")
    return password_digest(word)
