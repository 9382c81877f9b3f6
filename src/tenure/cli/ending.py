"""How a command ends: with its own status, or with the one that its exception stands for, alike for all commands."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import select
import sys
import traceback
from typing import Final, Protocol, TextIO

__all__ = ["INTERRUPTED", "NOBODY_READS", "REFUSED", "Command", "Refused", "ended"]

#: What was asked for cannot be done: the operator's mistake, or one of ours.
REFUSED: Final = 2
#: The status of a process that SIGINT ended, and of one that SIGPIPE ended, which shells do not count as a failure.
INTERRUPTED: Final = 130
NOBODY_READS: Final = 141


class Refused(Exception):
    """What was asked for cannot be done; the message says why and what would help."""


class Command(Protocol):
    """What the module of a command offers."""

    #: What to say, below its traceback, of an exception that nobody foresaw; nothing where that says all.
    UNFORESEEN: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say which arguments the command takes."""

    def mistakes(self) -> tuple[type[Exception], ...]:
        """What an operator can put right, its message says how. ``Refused`` and ``OSError`` are always of that kind."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; the answer is the exit status."""


def ended(said_by: str, command: Command, args: argparse.Namespace) -> int:
    """Run the command; its exit status, or what its exception comes to, which has then been said on stderr."""
    _show_what_has_no_character()
    mistakes: tuple[type[Exception], ...] = (Refused, OSError, *command.mistakes())
    try:
        status = int(command.run(args))
        _flush(sys.stdout)
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError as error:  # of our output, as in `tenure … | head`, or of a peer that went away
        status = NOBODY_READS if _nobody_reads() else _told(said_by, error)
    except mistakes as error:
        status = _told(said_by, error)
    except Exception:
        # By itself the interpreter would end with 1, which means that something was found.
        traceback.print_exc()
        status = _told(said_by, command.UNFORESEEN) if command.UNFORESEEN else REFUSED
    _let_go_of_lost_output()
    return status


def _show_what_has_no_character() -> None:
    """An old terminal, or a file name of any bytes, is no reason to fall over: write ``\\xe9`` for what it lacks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _told(said_by: str, error: Exception | str) -> int:
    """Say it in one line, if there is anybody to say it to."""
    with contextlib.suppress(OSError):
        print(f"{said_by}: {error}", file=sys.stderr)
    return REFUSED


def _nobody_reads() -> bool:
    """Whether the other end of standard output or standard error is closed."""
    if not hasattr(select, "poll"):
        return True
    asking = select.poll()
    for descriptor in (1, 2):
        asking.register(descriptor, 0)
    return any(event & select.POLLERR for _, event in asking.poll(0))


def _flush(stream: TextIO | None) -> None:
    """Write what waits; a language server closes its output itself, and a process without a console has none."""
    if stream is not None and not stream.closed:
        stream.flush()


def _let_go_of_lost_output() -> None:
    """What could not be written must not be tried again by the interpreter at its end."""
    for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            _flush(stream)
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, descriptor)
            os.close(null)
