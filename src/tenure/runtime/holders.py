"""Says who holds an object, as a person would write it: ``cache.ring[3].args[0]``, ``ingest.read(): local 'row'``.

For reports only. The walk goes backwards over ``gc.get_referrers`` until it stands before something that needs no
holder itself: the globals of a module, a class, a local of a running function, a thread. Every level of it is one
pass over the heap, so it costs milliseconds, and it is bounded in levels and in width. Locals of running functions
are invisible to the collector and are looked up in the frames of all threads. What belongs to this package is left
out, and so is whatever the caller says belongs to it.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from types import FrameType, ModuleType
from typing import Final

from tenure.runtime.paths import OPTIMIZED, locals_of, spell

__all__ = ["who_holds"]

#: How far back and how wide the walk goes.
_LEVELS: Final = 12
_WIDTH: Final = 500

_PACKAGE: Final = __name__.partition(".")[0] + "."

Way = list[object]


def who_holds(obj: object, most: int = 3, ignoring: Iterable[object] = ()) -> tuple[str, ...]:
    """The nearest holders of ``obj``, at most ``most``; empty if nobody was found within the bounds.

    ``ignoring``: containers that belong to the one who asks, and are not to be named.
    """
    locals_ = _locals_of_all_threads()
    walk = _Walk(obj, ignoring)
    found: dict[str, None] = {}
    for _ in range(_LEVELS):
        for node in walk.level:
            found.update(dict.fromkeys(_names(walk.way(node), locals_.get(id(node)))))
        if len(found) >= most or not walk.back():
            break
    return tuple(found)[:most]


class _Walk:
    """Everything that was found to lead to one object, level by level."""

    __slots__ = ("_nodes", "_ours", "_toward", "level")

    def __init__(self, obj: object, ignoring: Iterable[object]) -> None:
        self.level = [obj]
        self._nodes: dict[int, object] = {id(obj): obj}  # also keeps them alive, so that no id is used twice
        self._toward: dict[int, int] = {}
        # Invariant: these two and the level are the only containers of ours that hold what is walked over.
        self._ours = {id(self._nodes), id(self), *map(id, ignoring)}

    def way(self, node: object) -> Way:
        """From ``node`` to the object asked about."""
        way, at = [node], id(node)
        while at in self._toward:
            at = self._toward[at]
            way.append(self._nodes[at])
        return way

    def back(self) -> bool:
        """Go on to whoever holds what this level holds; whether there is anybody."""
        held = [node for node in self.level if not _is_root(node)]
        ids = {id(node) for node in held}
        ours = self._ours | {id(held), id(self.level)}
        referrers = gc.get_referrers(*held) if held else []
        self.level = []
        for referrer in referrers:
            if id(referrer) in self._nodes or id(referrer) in ours or len(self.level) == _WIDTH:
                continue
            toward = next((id(r) for r in gc.get_referents(referrer) if id(r) in ids), None)
            if toward is not None:
                self._toward[id(referrer)] = toward
                self._nodes[id(referrer)] = referrer
                self.level.append(referrer)
        return bool(self.level)


def _is_root(node: object) -> bool:
    return isinstance(node, _ENDS) or _module_of(node) is not None


def _module_of(namespace: object) -> ModuleType | None:
    """The module whose globals ``namespace`` is."""
    if type(namespace) is not dict:
        return None
    module = sys.modules.get(str(namespace.get("__name__", "")))
    return module if module is not None and getattr(module, "__dict__", None) is namespace else None


def _names(way: Way, local: tuple[str, str] | None) -> Iterator[str]:
    """What a person calls this way, if it begins where nothing needs a holder."""
    if local is not None:
        function, name = local
        yield f"{function}: local {name!r}" if len(way) == 1 else f"{function}: {spell(name, way)}"
    if len(way) == 1:
        return  # a module or a class may itself be what is asked about
    module = _module_of(way[0])
    if module is not None:
        yield spell(module.__name__, [module, *way])
    for root, tell in _ROOTS:
        if isinstance(way[0], root):
            yield tell(way[0], way)


def _as_class(cls: object, way: Way) -> str:
    assert isinstance(cls, type)
    return spell(f"{cls.__module__}.{cls.__qualname__}", way)


def _as_thread(thread: object, way: Way) -> str:
    assert isinstance(thread, threading.Thread)
    return spell(f"thread {thread.name!r}", way)


def _as_module(module: object, way: Way) -> str:
    assert isinstance(module, ModuleType)
    return spell(module.__name__, way)


def _as_ended(frame: object, way: Way) -> str:
    """A frame the collector can see has ended, and is kept by a traceback or by somebody who inspected it."""
    assert isinstance(frame, FrameType)
    name = next((name for name, value in locals_of(frame).items() if value is way[1]), "?")
    return f"{_function(frame)}, which has ended: {spell(name, way[1:])}"


_ROOTS: Final[tuple[tuple[type, Callable[[object, Way], str]], ...]] = (
    (type, _as_class),
    (threading.Thread, _as_thread),
    (ModuleType, _as_module),
    (FrameType, _as_ended),
)
_ENDS: Final = tuple(root for root, _ in _ROOTS)


def _function(frame: FrameType) -> str:
    return f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_qualname}()"


def _locals_of_all_threads() -> dict[int, tuple[str, str]]:
    """Function and name of everything that a running function calls by a name, by identity."""
    held: dict[int, tuple[str, str]] = {}
    for frame in _running():
        function = _function(frame)
        for name, value in locals_of(frame).items():
            held.setdefault(id(value), (function, name))
    return held


def _running() -> list[FrameType]:
    """The frames of all functions that run now and are not this package's."""
    # Invariant: no frame of ours gets into a local of its own; that cycle would keep the object asked about.
    others = sys._current_frames()
    del others[threading.get_ident()]
    running: list[FrameType] = []
    for innermost in (sys._getframe(1), *others.values()):
        frame: FrameType | None = innermost
        while frame is not None:
            is_ours = str(frame.f_globals.get("__name__", "")).startswith(_PACKAGE)
            if not is_ours and frame.f_code.co_flags & OPTIMIZED:  # the locals of a module's frame are its globals
                running.append(frame)
            frame = frame.f_back
    return running
