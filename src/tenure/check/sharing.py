"""Work that is shared among processes, which end with the one that shared it, whatever ends that."""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Final, TypeVar

__all__ = ["WorkerFailed", "WorkerLost", "shared"]

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")
#: Each process that works, by the end of the pipe that its result comes through; with the number of its task.
_Crew = dict[Connection, tuple[int, BaseProcess]]

_ADVICE: Final = "too little memory? --jobs 1 needs the least"


class WorkerLost(RuntimeError):
    """A process that shared the work was ended from outside; says what may help."""


class WorkerFailed(RuntimeError):
    """What went wrong in a process that shared the work, with its traceback."""


def shared(act: Callable[[_Task], _Result], tasks: Sequence[_Task], jobs: int) -> Iterator[_Result]:
    """What ``act`` makes of each task, in order; no more than ``jobs`` of them are worked at at a time."""
    waiting = list(enumerate(tasks))[::-1]
    crew: _Crew = {}
    results: dict[int, _Result] = {}
    try:
        for number in range(len(tasks)):
            while number not in results:
                while waiting and len(crew) < jobs:
                    _set_to_work(crew, act, *waiting.pop())
                for end in wait(list(crew)):
                    assert isinstance(end, Connection)
                    done, result = _received(crew, end)
                    results[done] = result
            yield results.pop(number)
    finally:  # what is still worked at is of no use to anybody, and waiting for it would be
        for end, (_, process) in crew.items():
            process.kill()
            process.join()
            end.close()


def _set_to_work(crew: _Crew, act: Callable[[Any], Any], number: int, task: object) -> None:
    """Begin one task in a process of its own; an interrupt comes before or after that, never in between."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        end, far_end = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=_worked, args=(act, task, far_end), daemon=True)
        process.start()
        far_end.close()
        crew[end] = number, process
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _worked(act: Callable[[Any], Any], task: object, end: Connection) -> None:
    """The life of such a process. Ctrl-C reaches it too, and is left to the first one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        answer = pickle.dumps((act(task), ""), pickle.HIGHEST_PROTOCOL)
    except Exception:
        answer = pickle.dumps((None, traceback.format_exc()))
    with contextlib.suppress(BrokenPipeError):
        end.send_bytes(answer)


def _received(crew: _Crew, end: Connection) -> tuple[int, Any]:
    """The number of a task and its result."""
    number, process = crew[end]
    try:
        result, trouble = pickle.loads(end.recv_bytes())
    except (EOFError, OSError):
        raise WorkerLost(f"a process that shared the work was ended from outside ({_ADVICE})") from None
    del crew[end]
    end.close()
    process.join()
    if trouble:
        raise WorkerFailed(trouble)
    return number, result
