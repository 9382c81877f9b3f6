"""What a start after ``kill -9`` costs: processor time for each event of a window that was still open.

A log of sealed events without results is gone through as the server does when it starts; the records are opened by the
reader in C and by the one in Python. ``python -m benchmarks.bench_recovery [--events N] [--rounds N] [--write]``.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.results import write_section

import tenure
from tenure.pipeline.block import batch_of, schema_of
from tenure.pipeline.commands import Commands
from tenure.pipeline.event import Plan
from tenure.pipeline.intake import Conversation, Order
from tenure.pipeline.native import make_intake, native_mark_reader
from tenure.pipeline.opening import Opener
from tenure.pipeline.recovery import Marks, mark_reader, recover
from tenure.pipeline.resp import Limits, bulk, replies
from tenure.pipeline.results import Checkpoint
from tenure.pipeline.seal.keyring import Keyring
from tenure.pipeline.seal.libcrypto import Libcrypto
from tenure.pipeline.segments import Header
from tenure.pipeline.settings import FieldNames
from tenure.pipeline.windows import Windows
from tenure.pipeline.writer import SegmentWriter

VALUES = ("v",)
BLOCK = 4096
TENANTS = (1, 100)
READERS: dict[str, Callable[[Opener, bytes], Marks]] = {"C": native_mark_reader, "Python": mark_reader}


def filled(directory: Path, libcrypto: Libcrypto, master: tenure.SecretBuffer, events: int, tenants: int) -> None:
    """A log of events whose secrets have 64 bytes and are all different, in one window."""
    keyring = Keyring.of(master, libcrypto, VALUES)
    commands = Commands(length=lambda stream: 0, info=dict, shutdown=lambda: None)
    intake = make_intake(Order(Plan(FieldNames()), Limits(), keyring, lambda: 1_767_228_300_000, commands))
    log = SegmentWriter(directory, Header(keyring.root, VALUES, schema_of(VALUES)), 1 << 30, 8 << 20)
    for first in range(0, events, BLOCK):
        for number in range(first, min(first + BLOCK, events)):
            tenant, secret = b"t%d" % (number % tenants), b"%064d" % number
            words = (b"XADD", b"ev", b"*", b"tenant", tenant, b"v", b"12.5", b"secret", secret)
            intake.feed(Conversation(), replies([bulk(word) for word in words]))
        log.ready()
        log.append(batch_of(intake.take(), VALUES))
    log.close()
    keyring.close()


def cost(directory: Path, libcrypto: Libcrypto, master: tenure.SecretBuffer, reader: str) -> float:
    """Microseconds of processor time an event."""
    windows = Windows(60_000, 10_000, VALUES)
    begin = time.process_time()
    with Opener(libcrypto, master) as opener:
        found = recover(directory, Checkpoint(), windows, READERS[reader](opener, b"secret"), opener.root)
    return (time.process_time() - begin) / found.events * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="into benchmarks/RESULTS.md")
    args = parser.parse_args()
    libcrypto = Libcrypto()
    lines = ["| tenants | " + " | ".join(f"{reader}, µs an event" for reader in READERS) + " |", "|---" * 3 + "|"]
    for tenants in TENANTS:
        with tenure.SecretBuffer(32) as master, tempfile.TemporaryDirectory() as directory:
            filled(Path(directory), libcrypto, master, args.events, tenants)
            rounds = [
                [cost(Path(directory), libcrypto, master, reader) for reader in READERS] for _ in range(args.rounds)
            ]
        medians = [statistics.median(column) for column in zip(*rounds, strict=True)]
        lines.append(f"| {tenants} | " + " | ".join(f"{median:.2f}" for median in medians) + " |")
    about = f"CPython {platform.python_version()}, {libcrypto.version}, {os.cpu_count()} cores"
    about += f"; medians of {args.rounds} over {args.events:,} events (`make bench-recovery`)"
    text = f"## A start after a crash\n\nProcessor time for each event of an open window: {about}.\n\n" + "\n".join(
        lines
    )
    print(text)
    if args.write:
        write_section("recovery", text)


if __name__ == "__main__":
    main()
