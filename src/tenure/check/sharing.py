"""Work that is shared among processes, which end with the one that shared it, whatever ends that."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

__all__ = ["WorkerLost", "shared"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


class WorkerLost(RuntimeError):
    """A process that shared the work was ended from outside; says what may help."""


def shared(act: Callable[[_Task], _Result], tasks: Sequence[_Task], jobs: int) -> Iterator[_Result]:
    """What ``act`` makes of each task, in order."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), initializer=_leave_interrupts_to_the_first)
    try:
        yield from pool.map(act, tasks)
    except BrokenProcessPool:
        advice = "too little memory? --jobs 1 needs the least"
        raise WorkerLost(f"a process that shared the work was ended from outside ({advice})") from None
    except BaseException:
        for worker in set(multiprocessing.active_children()) - others:
            worker.kill()  # what it works at is of no use to anybody, and waiting for it would be
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_first() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
