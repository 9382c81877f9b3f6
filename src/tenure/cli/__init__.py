"""The ``tenure`` command: finds the command asked for, imports it, and gives it its arguments."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final, Protocol, cast

from tenure import __version__

__all__ = ["COMMANDS", "Command", "main"]


class Command(Protocol):
    """What the module of a command offers."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say which arguments the command takes."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; the answer is the exit status."""


#: Each command is the module of that name beside this file; it is imported only when it is asked for.
COMMANDS: Final[dict[str, str]] = {
    "check": "find what is not closed on every path",
    "explore": "visit every schedule of a model",
    "litmus": "ask Go's finalizer model a question",
    "ledger": "show what a running process holds open",
    "pipeline": "run, feed and query the sealed analytics pipeline",
    "incident": "live through the use-after-free incident under five remedies",
}


#: The status of a process that SIGPIPE ended, which shells do not count as a failure worth telling.
_NOBODY_READS: Final = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that ``argv`` (default: the process's arguments) asks for; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="tenure", description="Ownership for native resources.")
    parser.add_argument("--version", action="version", version=f"tenure {__version__}")
    chosen = words[0] if words and words[0] in COMMANDS else None
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, sentence in COMMANDS.items():
        sub = subparsers.add_parser(name, help=sentence, description=sentence, add_help=name == chosen)
        if name == chosen:
            module = cast(Command, importlib.import_module(f"tenure.cli.{name}"))
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    args = parser.parse_args(words)
    try:
        status = int(args.run(args))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough, as in `tenure … | head`
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)  # or the interpreter would try to write the rest at its end
        os.close(null)
        return _NOBODY_READS
    return status
