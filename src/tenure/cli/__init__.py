"""The ``tenure`` command: finds the command asked for, imports it, and gives it its arguments."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Final, cast

from tenure import __version__
from tenure.cli.ending import Command, ended

__all__ = ["COMMANDS", "Command", "main"]


#: Each command is the module of that name beside this file; it is imported only when it is asked for.
COMMANDS: Final[dict[str, str]] = {
    "check": "find what is not closed on every path",
    "explore": "visit every schedule of a model",
    "litmus": "ask Go's finalizer model a question",
    "ledger": "show what a running process holds open",
    "pipeline": "run, feed and query the sealed analytics pipeline",
    "incident": "live through the use-after-free incident under five remedies",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that ``argv`` (default: the process's arguments) asks for; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="tenure", description="Ownership for native resources.")
    parser.add_argument("--version", action="version", version=f"tenure {__version__}")
    chosen = words[0] if words and words[0] in COMMANDS else None
    module = cast(Command, importlib.import_module(f"tenure.cli.{chosen}")) if chosen else None
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, sentence in COMMANDS.items():
        sub = subparsers.add_parser(name, help=sentence, description=sentence, add_help=name == chosen)
        if module is not None and name == chosen:
            module.add_arguments(sub)
    args = parser.parse_args(words)
    assert module is not None  # without a command the parser has ended the process
    return ended(" ".join(("tenure", args.command, *_part(args))), module, args)


def _part(args: argparse.Namespace) -> tuple[str, ...]:
    """The part of a command that has several."""
    return (args.part,) if "part" in args else ()
