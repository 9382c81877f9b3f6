"""A child forked from a process that serves has a copy of everything, owns none of it, and lets go of it at once."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

__all__ = ["Forked", "Shared", "polls_open", "shared"]

DESCRIPTORS: Final = Path("/proc/self/fd")


class Forked(RuntimeError):
    """A forked child came back into the event loop of its parent: it ends there, and nothing was touched."""

    def __init__(self, owner: int) -> None:
        super().__init__(
            f"this is a forked child, and the server belongs to process {owner}. "
            "A child that is forked from the event loop has to end by os._exit, or to become another program."
        )


@dataclass(eq=False)
class Shared:
    """What a child would otherwise hold or hear together with its parent.

    A socket it held would keep connections open that the parent has closed, and the lock would outlive the parent. Its
    copy of the event loop would take events off the parent's list, and a signal to the child would stop the parent.
    """

    #: Asked in the child: sockets and the lock of the directory.
    descriptors: Callable[[], Iterable[int]]
    #: What the event loop waits at.
    polls: Iterable[int]
    #: Ends the child's copy of the event loop, if it should come back to it.
    stop: Callable[[], None]
    #: What was done about signals before the server did something.
    before: Mapping[signal.Signals, Any] = field(default_factory=dict)

    def let_go(self) -> None:
        """In the child: the numbers stay taken, so that whoever closes one of them closes nothing else."""
        with open(os.devnull, "r+b", buffering=0) as null:
            for number in self.descriptors():
                os.dup2(null.fileno(), number, inheritable=False)
        with select.epoll() as silent:
            for number in self.polls:
                os.dup2(silent.fileno(), number, inheritable=False)
        signal.set_wakeup_fd(-1)
        for number, handler in self.before.items():
            signal.signal(number, handler)
        self.stop()


_shared: set[Shared] = set()


@contextmanager
def shared(what: Shared) -> Iterator[None]:
    """While the block runs a forked child lets go of it."""
    _shared.add(what)
    try:
        yield
    finally:
        _shared.discard(what)


def polls_open() -> set[int]:
    """The descriptors of this process that an event loop could wait at."""
    found = set[int]()
    for entry in DESCRIPTORS.iterdir():
        try:
            if os.readlink(entry) == "anon_inode:[eventpoll]":
                found.add(int(entry.name))
        except OSError:  # the descriptor of the listing itself
            continue
    return found


def _in_child() -> None:
    while _shared:
        _shared.pop().let_go()


os.register_at_fork(after_in_child=_in_child)
