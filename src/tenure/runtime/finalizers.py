"""Finalizers as Go means them, for ordinary objects: a function that runs once its object has become unreachable.

``set_finalizer(obj, fn)`` has ``fn(obj)`` run on the release thread after a full collection has found ``obj``
unreachable. The registration ends when the collector finds the object: before ``fn`` runs, and whatever it does. A
function that stores its object somewhere resurrects it, without a finalizer; registered anew it is eligible for
collections that *begin after that*, so one that resurrects and registers for ever runs once a cycle and cannot spin.

It is for the few who need the object itself at the end. Whoever wants a resource released opens it with
``tenure.open``: a release function gets the token alone, promptly, and cannot resurrect anything.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections import deque
from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar, overload
from weakref import ref

from tenure._impl import chosen
from tenure._impl.site import Site, capture
from tenure.errors import FinalizedReference, FinalizerFailed, SlowFinalizer
from tenure.runtime import abandoned, captures, report
from tenure.runtime.custody import Custody, Kept
from tenure.runtime.paths import spell
from tenure.runtime.patience import Patience, Underway

__all__ = ["Stage", "Step", "armed", "collections", "history", "keep_alive", "set_finalizer"]

T = TypeVar("T")

#: How many steps of one object ``history`` remembers, the newest.
_REMEMBERED: Final = 64

#: How many objects are looked at to see whether a finalizer reaches another finalized object.
_REACH: Final = 2_000


class Stage(Enum):
    """What happened to an object that has, or had, a finalizer."""

    ARMED = "armed"
    REMOVED = "removed"  #: by ``set_finalizer(obj, None)``
    FOUND = "found unreachable"  #: and queued; the registration has ended
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  #: the function raised
    REFUSED = "refused"  #: not run, because the object reaches another finalized one
    RESURRECTED = "resurrected"  #: the finalizer has run, and somebody holds the object


_ENDED: Final = (Stage.DONE, Stage.FAILED, Stage.REFUSED)


class Step(NamedTuple):
    """Something that happened to an object, and the number of the full collection that had begun last."""

    stage: Stage
    collection: int

    def __str__(self) -> str:
        return f"{self.stage.value} in collection {self.collection}"


class _Armed(Kept):
    """A registration. It refers to its object weakly; the custody keeps the object."""

    __slots__ = ("fn", "since", "site", "steps")

    fn: Callable[[Any], object] | None  # None once it has been run
    site: Site
    since: int  # the number of the full collection that had begun last
    steps: deque[Step] | None  # of this object, if more happened to it than this registration


class _Past(ref[Any]):
    """What has happened to an object that is not armed, or not for the first time."""

    __slots__ = ("key", "steps")

    key: int
    steps: deque[Step]


_armed: dict[int, _Armed] = {}
_pasts: dict[int, _Past] = {}
_forgotten: deque[ref[Any]] = deque()  # the pasts of objects that died put themselves here
_queued: deque[_Finalization] = deque()
_hooked = False


@overload
def set_finalizer(obj: T, fn: Callable[[T], object]) -> None: ...
@overload
def set_finalizer(obj: object, fn: None) -> None: ...
def set_finalizer(obj: Any, fn: Callable[[Any], object] | None) -> None:
    """Have ``fn(obj)`` run, once, after a full collection that begins later has found ``obj`` unreachable.

    It runs on the release thread, with the live object. A second call replaces the function, and starts anew; ``None``
    removes it. Neither has an effect on a finalizer whose object has been found already: that one is queued, and runs.

    Raises ``CapturedOwner`` if ``fn`` reaches ``obj``, which would keep it alive for ever, and ``TypeError`` if ``fn``
    cannot be called or ``obj`` takes no weak reference.
    """
    if fn is None:
        return _disarm(obj)
    if not callable(fn):
        raise TypeError(f"a finalizer must be callable, not {type(fn).__name__}")
    captures.refuse(fn, obj, "fn")
    _hook()
    return _arm(obj, fn, capture(sys._getframe(1), 1))


def keep_alive(obj: object) -> None:
    """Use ``obj``, so that it is reachable at least until here."""


def history(obj: object) -> tuple[Step, ...]:
    """What happened to ``obj``, oldest first: the newest 64 steps, each with the number of the collection."""
    past = _past_of(obj)
    registration = _armed.get(id(obj))
    if past is None:
        return () if registration is None else (Step(Stage.ARMED, registration.since),)
    _note_resurrection(past)
    return tuple(past.steps.copy())


def armed() -> int:
    """How many objects have a finalizer that waits for them."""
    return len(_armed)


def collections() -> int:
    """The number of the full collection that began last, as ``gc.get_stats()`` counts them."""
    return _custody.number


def _hook() -> None:
    """Everything a process needs before its first registration; never done by an import."""
    global _hooked
    abandoned.start()
    _patience.start()
    if not _hooked:
        _hooked = True
        _custody.start()
        # After the safety net's, so that exit stops finding objects before it drains what was found, and so that a
        # child has disowned its handles before objects that nobody else held go.
        atexit.register(_at_exit)
        os.register_at_fork(after_in_child=_in_child)


def _arm(obj: Any, fn: Callable[[Any], object], site: Site) -> None:
    try:
        registration = _Armed(obj, _custody.dead.append)
    except TypeError:
        raise TypeError(
            f"an object of type {type(obj).__qualname__} takes no weak reference, "
            "so nothing can tell when it becomes unreachable. "
            "Add '__weakref__' to the __slots__ of its class, or use an object that holds it."
        ) from None
    key = registration.key = id(obj)
    registration.fn, registration.site, registration.since = fn, site, _custody.number
    registration.steps = _steps_before(obj)
    if registration.steps is not None:
        registration.steps.append(Step(Stage.ARMED, registration.since))
    # Invariant: what is in custody is in this table first, or it would be taken for a leftover of a removal.
    _armed[key] = registration
    _custody.keep(registration, obj)


def _steps_before(obj: object) -> deque[Step] | None:
    """The steps of an object that has any beyond its first registration."""
    _forget_the_dead()
    past, registration = _past_of(obj), _armed.get(id(obj))
    if past is None and registration is not None:
        past = _remember(obj, deque([Step(Stage.ARMED, registration.since)], _REMEMBERED))
    if past is None:
        return None
    _note_resurrection(past)
    return past.steps


def _disarm(obj: object) -> None:
    key = id(obj)
    steps = _steps_before(obj) if key in _armed else None
    if _armed.pop(key, None) is None:
        return
    _custody.release(key)
    if steps is not None:
        steps.append(Step(Stage.REMOVED, _custody.number))
    registration = _armed.get(key)
    if registration is not None:  # set again, on another thread, while we let go of it
        _custody.keep(registration, obj)


def _past_of(obj: object) -> _Past | None:
    past = _pasts.get(id(obj))
    return past if past is not None and past() is obj else None


def _remember(obj: object, steps: deque[Step]) -> _Past:
    past = _Past(obj, _forgotten.append)
    past.key, past.steps = id(obj), steps
    _pasts[past.key] = past
    return past


def _forget_the_dead() -> None:
    while _forgotten:
        try:
            past = _forgotten.popleft()
        except IndexError:  # another thread was faster
            return
        if isinstance(past, _Past) and _pasts.get(past.key) is past:
            _pasts.pop(past.key, None)


def _note_resurrection(past: _Past) -> None:
    """Called for somebody who holds the object: if its finalizer has run, it was resurrected."""
    last = past.steps[-1]
    if last.stage in _ENDED:
        past.steps.append(Step(Stage.RESURRECTED, last.collection))


def _on_found(kept: Kept) -> None:
    """The collector has found an object unreachable: its registration ends, and its finalizer is queued."""
    assert isinstance(kept, _Armed)
    if _armed.get(kept.key) is not kept:
        return  # replaced or removed since
    obj = _custody.kept(kept.key)
    if obj is None:  # an interrupt fell into its registration
        del _armed[kept.key]
    elif kept.since >= _custody.number:  # that collection had begun before the registration: try again
        assert kept.fn is not None
        _arm(obj, kept.fn, kept.site)
    else:
        _queued.append(_Finalization(kept, obj, _batch()))
        _armed.pop(kept.key, None)
        _custody.release(kept.key)


def _on_settled() -> None:
    """Everything that was found stands in ``_queued``."""
    # Invariant: an interrupt may have it submitted twice, and a second run of it does nothing.
    while _queued:
        abandoned.submit(_queued[0])
        _queued.popleft()
    if len(_custody) > len(_armed):  # left by a removal that met a collection
        _custody.purge(_armed.__contains__)
    _forget_the_dead()


class _Batch:
    """What one collection found, and those of it whose finalizers have run."""

    __slots__ = ("collection", "done")

    def __init__(self, collection: int) -> None:
        self.collection = collection
        self.done: dict[int, _Past] = {}


_newest_batch: _Batch | None = None


def _batch() -> _Batch:
    global _newest_batch
    if _newest_batch is None or _newest_batch.collection != _custody.number:
        _newest_batch = _Batch(_custody.number)
    return _newest_batch


class _Finalization:
    """The job of running one finalizer."""

    __slots__ = ("_batch", "_is_safe", "_obj", "_past", "_registration")

    def __init__(self, registration: _Armed, obj: object, batch: _Batch) -> None:
        self._registration, self._obj, self._batch = registration, obj, batch
        self._is_safe = _custody.was_sheltered(registration.key)  # then nothing it refers to was found with it
        steps = registration.steps
        if steps is None:
            steps = deque([Step(Stage.ARMED, registration.since)], _REMEMBERED)
        # The old past, if any, was cleared with all weak references to the object.
        self._past = _remember(obj, steps)
        steps.append(Step(Stage.FOUND, batch.collection))

    def __call__(self) -> None:
        registration, obj = self._registration, self._obj
        fn, registration.fn, self._obj = registration.fn, None, None
        if fn is None or obj is None:
            return
        refused = self._reached(obj)
        if refused is not None:
            self._note(Stage.REFUSED)
            self._report(obj, refused)
            return
        self._note(Stage.RUNNING)
        self._note(self._run(fn, obj))
        self._batch.done[id(obj)] = self._past

    def _run(self, fn: Callable[[Any], object], obj: object) -> Stage:
        _patience.begin(partial(_finalizer_of, type(obj).__qualname__, id(obj)), self._registration.site)
        try:
            fn(obj)
        except BaseException as error:
            self._report(obj, error)
            return Stage.FAILED
        finally:
            _patience.end()
        return Stage.DONE

    def _reached(self, obj: object) -> FinalizedReference | None:
        """Whether ``obj`` reaches an object of the same batch whose finalizer has run."""
        done = self._batch.done
        if self._is_safe or not done:
            return None

        def is_finalized(node: object) -> bool:
            past = done.get(id(node))
            return past is not None and past() is node

        way = captures.route(obj, is_finalized, _REACH).way
        if not way:
            return None
        path, site = spell("obj", way), self._registration.site
        return FinalizedReference(owner=_named(obj), other=_named(way[-1]), path=path, site=site)

    def _note(self, stage: Stage) -> None:
        steps = self._past.steps
        if stage in _ENDED and steps[-1].stage is Stage.ARMED:  # by the finalizer itself
            steps.insert(len(steps) - 1, Step(stage, _custody.number))
        else:
            steps.append(Step(stage, _custody.number))

    def _report(self, obj: object, error: BaseException) -> None:
        # As text: the exception's frames hold the object, and whoever keeps the warning would keep it too.
        told, site = f"{type(error).__name__}: {error}".rstrip("."), self._registration.site
        report.show(FinalizerFailed(owner=_named(obj), site=site, error=told), site)


def _named(obj: object) -> str:
    return f"{type(obj).__qualname__} object {id(obj):#x}"


def _finalizer_of(kind: str, address: int) -> str:
    """The same without the object, which whoever is to be told must not keep."""
    return f"the finalizer of {kind} object {address:#x}"


def _complain(underway: Underway, seconds: float) -> None:
    site = underway.site
    assert isinstance(site, Site)
    waiting = len(chosen.queue)
    report.show(SlowFinalizer(what=underway.what(), site=site, seconds=seconds, waiting=waiting), site)


def _at_exit() -> None:
    """Armed finalizers do not run at exit, as in Go; what has been found is drained by the safety net."""
    _custody.stop()
    _patience.stop()


def _in_child() -> None:
    """After fork: what the parent armed, and what it queued, is the parent's to finalize."""
    global _patience
    _armed.clear()
    _queued.clear()
    _pasts.clear()
    _patience = Patience(_complain, _patience.after)
    _custody.clear()


_custody = Custody(_on_found, _on_settled)
_patience = Patience(_complain)
