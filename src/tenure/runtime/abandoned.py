"""The safety net: what nobody holds any more is reported and released here, on a thread of its own.

A finalizer may run anywhere, also inside the collector and under any lock; so it only leaves what remains of its handle
in a queue. The release thread is started at the first registration of a process and takes from that queue, one after
the other. Where no thread can be started (a sub-interpreter that forbids them) the next registration drains the queue.
After a fork the child starts afresh, owning nothing. At exit the queue is drained, and what is still open is reported
once and released, newest first, but nothing under a lease.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any
from weakref import ref

from tenure._impl import chosen
from tenure._impl.contract import Entry, Job, Remains
from tenure._impl.site import Site
from tenure.lifecycle import State
from tenure.runtime import captures, report
from tenure.runtime.holders import who_holds
from tenure.runtime.settings import settings

__all__ = ["drain", "raise_pending", "start", "submit"]

#: How long exit waits for the release that is under way, in seconds.
PATIENCE_AT_EXIT = 5.0

_thread: threading.Thread | None = None
_starting = threading.RLock()  # re-entrant, as a signal handler may open a handle meanwhile
_hooked = False
_suspects: list[tuple[ref[Any], Entry]] = []


class _Hooks:
    """What the implementation asks of the safety net."""

    def first(self) -> bool:
        return start()

    def check(self, release: Callable[..., object], owner: object) -> None:
        captures.refuse(release, owner)

    passes = staticmethod(report.passes)
    failed = staticmethod(report.failed)


def start() -> bool:
    """Have a release thread; where none can be had, do its work now. Never call it from a finalizer."""
    if _thread is not None:
        return True
    with _starting:  # or two threads that open their first handle at once would each start one
        _hook()
        if _started():
            return True
    _drain_here()
    return False


def _hook() -> None:
    global _hooked
    if not _hooked:
        _hooked = True
        atexit.register(_at_exit)
        os.register_at_fork(after_in_child=_in_child)
        report.speak_up()
    if os.environ.get("TENURE_INSPECT") == "1":
        from tenure.runtime.inspect import serve_as_asked

        serve_as_asked()


def _started() -> bool:
    global _thread
    if _thread is not None:
        return True
    try:  # where daemon threads are forbidden some versions refuse to make one, others to start it
        _thread = threading.Thread(target=_run, name="tenure-release", daemon=True)
        _thread.start()
    except RuntimeError:
        _thread = None
        return False
    return True


def submit(job: Job) -> None:
    """Have ``job`` run on the release thread. Re-entrant, never blocks, may be called inside the collector."""
    chosen.queue.put(job)


def drain(timeout: float | None = None) -> bool:
    """Wait until everything abandoned so far has been released; whether that was within ``timeout`` seconds.

    Raises what ``configure(leak="raise")`` has to raise.
    """
    if _thread is None or threading.current_thread() is _thread:
        _drain_here()
        done = True
    else:
        done = _settle_within(timeout)
    raise_pending()
    return done


def _settle_within(timeout: float | None) -> bool:
    """Wait for the release thread; again, as long as what it released left a parent with nobody to hold it.

    A family is at most as deep as handles are open, so what other threads go on abandoning cannot keep us for ever.
    """
    end = None if timeout is None else monotonic() + timeout
    before = chosen.counts()
    for _ in range(before.open + 1):
        reached = threading.Event()
        submit(reached.set)
        if not reached.wait(None if end is None else max(0.0, end - monotonic())):
            return False
        # Without the GIL what we made and another thread let go of dies here, on our thread, before the next line.
        after = chosen.counts()
        if after.abandoned == before.abandoned:
            break
        before = after
    return True


def raise_pending() -> None:
    """Raise what ``configure(leak="raise")`` found, together."""
    found, report.pending[:] = list(report.pending), []
    if len(found) == 1:
        raise found[0]
    if found:
        raise ExceptionGroup("handles were abandoned", found)


class _Stop:
    """The job that ends the release thread."""

    def __call__(self) -> None: ...


_stop = _Stop()


def _run() -> None:
    while (item := chosen.queue.get()) is not _stop:
        if item is not None:
            _attend(item)
        del item  # or the thread would hold the last one while it waits for the next, and what hangs on it
        if _suspects:
            _look_at_suspects()


def _drain_here() -> None:
    while (item := chosen.queue.get(0)) is not None:
        _attend(item)
        del item
        if _suspects:
            _look_at_suspects()


def _attend(item: Remains | Job) -> None:
    try:
        if isinstance(item, chosen.Remains):
            _settle(item)
        else:
            item()  # type: ignore[operator]
    except BaseException as error:  # whatever it was, those who wait behind it must not wait for ever
        report.uncaught(error)


def _settle(remains: Remains) -> None:
    """Report what was abandoned, and release it as the policy says."""
    policy, entry = settings().policy, remains.entry
    if remains.leaked and not policy.releases:
        report.abandoned(entry, "It is not released, as configured.")
        return remains.disown()
    if remains.leaked:
        report.abandoned(entry, "Released now." if not entry.leases else "Its last lease or child releases it.")
    _release(remains, entry)
    if (ghost := remains.ghost()) is not None:
        _suspects.append((ref(ghost), entry))
    return None


def _close(remains: Remains, entry: Entry) -> None:
    try:
        remains.close()
    except BaseException as error:
        report.failed(entry, error)


def _release(remains: Remains, entry: Entry) -> None:
    via = remains.via
    if via is None:
        return _close(remains, entry)
    try:
        via(partial(_close, remains, entry))
    except BaseException as error:  # its loop or executor is gone, and with it the only place to release it
        report.failed(entry, error)
        remains.disown()
    return None


def _look_at_suspects() -> None:
    """Report each abandoned handle that somebody holds again, once; keep looking at the others while they live."""
    for suspect in list(_suspects):
        weak, entry = suspect
        ghost = weak()
        if ghost is not None and ghost.state is not State.CLOSED:
            continue  # abandoned with its children, which hold it until they are released
        holders = () if ghost is None else who_holds(ghost)
        if holders:
            report.resurrected(entry, " and by ".join(holders))
        if holders or ghost is None:
            _suspects.remove(suspect)


def _at_exit() -> None:
    """Drain what was abandoned, then report and release what is open, newest first, children first."""
    global _thread
    if _thread is not None:
        submit(_stop)
        _thread.join(PATIENCE_AT_EXIT)
        _thread = None
    _drain_here()
    left = chosen.handles()
    more = Counter(entry.site for entry in chosen.entries())
    while left:
        _close_at_exit(left.pop(), more)
    _drain_here()


def _close_at_exit(handle: Any, more: Counter[Site]) -> None:
    """Release it unless it is in use; the first of each site is reported and speaks for the others."""
    entry = chosen.entry_of(handle)
    if entry.state is State.CLOSED:
        return  # its parent was closed, and closed it first
    try:
        handle.close()
    except BaseException as error:
        report.failed(entry, error)
    others = more.pop(entry.site, 0)
    if others:
        fate = "It is in use, and not released." if handle.state is State.CLOSING else "Released now."
        report.open_at_exit(entry, fate, others - 1)


def _in_child() -> None:
    """After fork: nothing that was open is ours, and the parent's thread is not here."""
    global _thread, _starting
    _thread, _starting = None, threading.RLock()
    _suspects.clear()
    report.pending.clear()
    chosen.disown_all()


chosen.install(_Hooks())
