"""Answers whether an object can be reached from a callback, and by which way.

A callback that waits for the end of an object and holds the object waits for ever: the callback is kept until the
object dies, and keeps it. So ``open``, ``own`` and ``set_finalizer`` ask here first, and refuse with the way.

What is followed is what the collector itself follows (``gc.get_referents``): closures, ``__self__``, the function and
arguments of partials, defaults, attributes, slots, containers, at any depth. What is not:

* modules, classes and libraries, and the dict of globals a function was defined in. A function does not keep these
  alive, the program does; an object that stands in a module's global is reachable with or without the callback, and
  ceases to be the moment the global is emptied. Following them would make every function "capture" every global.
* frames and code, for the same reason: a running function's locals end by themselves.
* weak references, which is what makes them the cure.

The walk is breadth first, so the way found is a shortest one, and it is bounded: ``Capture.complete`` says whether
everything was looked at.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from functools import partial
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Final, NamedTuple

from tenure._impl.site import capture, outside
from tenure.errors import CapturedOwner, UncheckedCapture
from tenure.runtime import report
from tenure.runtime.paths import spell

__all__ = ["LIMIT", "Capture", "Route", "find", "harmless", "refuse", "route", "vouch"]

#: How many objects a walk looks at before it gives up. A callback that reaches more than this holds half the program.
LIMIT: Final = 20_000

Wanted = Callable[[object], bool]

_ENDS: Final = (ModuleType, type, FrameType, CodeType)
_ATOMS: Final = frozenset({type(None), bool, int, float, complex, str, bytes, type, CodeType, ModuleType, FrameType})


#: Callbacks known to hold nothing but numbers, by their ids: however many they hold, nobody need walk over them.
_vouched: Final[dict[int, object]] = {}


class Route(NamedTuple):
    """A shortest way from one object to a wanted one, if there is one."""

    way: tuple[object, ...]  #: empty if none was found
    complete: bool  #: whether everything within reach was looked at, or the way was found


class Capture(NamedTuple):
    """Whether a callback reaches an object, and how."""

    path: str | None  #: as a person would write it; ``None`` if no way was found
    complete: bool  #: ``False``: the bound was hit, so that no way was found proves nothing


def refuse(callback: Callable[..., object], owner: object, name: str = "release") -> None:
    """Raise ``CapturedOwner`` if ``callback``, the caller's argument ``name``, reaches ``owner``.

    Warns with ``UncheckedCapture`` if it reaches too much for that to be known.
    """
    if harmless(callback):
        return
    path, complete = find(callback, owner, name)
    called, described = _called(callback, name), _described(owner)
    if path is not None:
        raise CapturedOwner(callback=called, owner=described, path=path)
    if not complete:
        site = capture(outside(sys._getframe(1)), 1)
        report.show(UncheckedCapture(callback=called, owner=described, limit=LIMIT, site=site), site)


def find(callback: Callable[..., object], owner: object, name: str = "release", limit: int = LIMIT) -> Capture:
    """The way from ``callback``, called ``name``, to ``owner``."""
    found = route(callback, lambda node: node is owner, limit)
    return Capture(spell(name, found.way) if found.way else None, found.complete)


def route(start: object, wanted: Wanted, limit: int = LIMIT) -> Route:
    """A shortest way from ``start`` to an object that is ``wanted``, after looking at no more than ``limit``."""
    before: dict[int, int | None] = {id(start): None}
    nodes = [start]  # visited and to visit, in order; it also keeps them alive, so that no id is used twice
    for node in nodes:
        if wanted(node):
            return Route(_way_back(node, nodes, before), True)
        for referent in _followed(node):
            if id(referent) not in before:
                before[id(referent)] = id(node)
                nodes.append(referent)
        if len(nodes) > limit:
            return _within(nodes, before, wanted)
    return Route((), True)


def _within(nodes: list[object], before: dict[int, int | None], wanted: Wanted) -> Route:
    """The answer when the bound is hit: what was already seen still counts."""
    hit = next((node for node in nodes if wanted(node)), None)
    return Route((), False) if hit is None else Route(_way_back(hit, nodes, before), True)


def _way_back(node: object, nodes: list[object], before: dict[int, int | None]) -> tuple[object, ...]:
    by_id = {id(visited): visited for visited in nodes}
    way: list[object] = []
    at: int | None = id(node)
    while at is not None:
        way.append(by_id[at])
        at = before[at]
    return tuple(reversed(way))


def _followed(node: object) -> list[object]:
    """What the walk goes on to from ``node``."""
    if isinstance(node, _ENDS) or _is_library(node):
        return []
    referents = gc.get_referents(node)
    if isinstance(node, FunctionType):
        surroundings = (node.__globals__, getattr(node, "__builtins__", None))
        return [r for r in referents if type(r) not in _ATOMS and not any(r is s for s in surroundings)]
    return [r for r in referents if type(r) not in _ATOMS]


def vouch(callback: object) -> None:
    """Let ``callback``, which is kept from now on, pass for harmless."""
    _vouched[id(callback)] = callback


def harmless(callback: object) -> bool:
    """Whether a glance shows that ``callback`` holds nothing: what nearly every release function is."""
    if id(callback) in _vouched:
        return True
    kind = type(callback)
    if kind is FunctionType:
        return not (
            callback.__closure__  # type: ignore[attr-defined]
            or callback.__defaults__  # type: ignore[attr-defined]
            or callback.__kwdefaults__  # type: ignore[attr-defined]
            or callback.__dict__
        )
    if kind is BuiltinFunctionType:
        home = callback.__self__  # type: ignore[attr-defined]
        return home is None or type(home) is ModuleType
    return isinstance(callback, type) or _is_bare_foreign(callback)


def _is_bare_foreign(callback: object) -> bool:
    """A function of a C library as ctypes gives it, with nothing attached."""
    ctypes = sys.modules.get("_ctypes")
    if ctypes is None or not isinstance(callback, ctypes.CFuncPtr) or not hasattr(callback, "__dict__"):
        return False
    objects = callback._objects
    attached = callback.errcheck is not None or vars(callback).keys() - {"__name__"}
    return not attached and type(objects) is dict and all(map(_is_library, objects.values()))


def _is_library(node: object) -> bool:
    ctypes = sys.modules.get("ctypes")
    return ctypes is not None and isinstance(node, ctypes.CDLL)


def _called(callback: object, name: str) -> str:
    """The callback as the message names it."""
    inner = callback.func if isinstance(callback, partial) else callback
    known = getattr(inner, "__qualname__", None) or type(inner).__name__
    return f"{name}={'partial of ' if inner is not callback else ''}{known}"


def _described(owner: object) -> str:
    return f"the {type(owner).__qualname__}"
