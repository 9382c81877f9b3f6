"""Spells the way from one object to another as a person would write it: ``release.__closure__[0] (self)``.

A way is a list of objects, each of which the one before it refers to, as ``gc.get_referents`` sees it. Several of
them often are one step to a person: an object, its ``__dict__`` and the value in it are ``owner.value``.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import (
    AsyncGeneratorType,
    CellType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MemberDescriptorType,
)
from typing import Final

__all__ = ["OPTIMIZED", "local_name", "locals_of", "spell"]

Way = Sequence[object]

#: ``inspect.CO_OPTIMIZED``, without the 8 ms that importing ``inspect`` costs: the code of a function.
OPTIMIZED: Final = 0x1

#: References to a frame's copy of its locals while ``locals_of`` looks: the frame's, the name's, the argument's.
_HELD_BY_FRAME: Final = 3

#: Attributes that are no member descriptors, and still are where a person would look.
_COMPUTED: Final = ("__defaults__", "__kwdefaults__", "__self__", "errcheck", "argtypes", "restype", "_objects")


def spell(name: str, way: Way) -> str:
    """The expression that leads from ``way[0]``, called ``name``, to ``way[-1]``."""
    return name + "".join(_step(way, at) for at in range(len(way) - 1))


def _step(way: Way, at: int) -> str:
    """How ``way[at]`` refers to ``way[at + 1]``."""
    holder, held = way[at], way[at + 1]
    for kind, tell in _TELLERS:
        if isinstance(holder, kind):
            told = tell(way, at)
            if told is not None:
                return told
    told = _as_attribute(holder, held)
    return f" → <{type(held).__name__}>" if told is None else told


def _in_dict(way: Way, at: int) -> str | None:
    holder, held = way[at], way[at + 1]
    assert isinstance(holder, dict)
    for key, value in holder.copy().items():
        if value is held:
            return f".{key}" if _is_namespace(way, at) else f"[{_short(key)}]"
        if key is held:
            return " (as a key)"
    return None


def _is_namespace(way: Way, at: int) -> bool:
    """Whether the dict at ``at`` is the ``__dict__`` of what comes before it."""
    if at == 0:
        return False
    return isinstance(way[at - 1], type) or getattr(way[at - 1], "__dict__", None) is way[at]


def _in_sequence(way: Way, at: int) -> str | None:
    holder, held = way[at], way[at + 1]
    assert isinstance(holder, list | tuple | deque)
    index = next((i for i, item in enumerate(tuple(holder)) if item is held), None)
    return None if index is None else f"[{index}]{_parameter(way, at, index)}"


def _parameter(way: Way, at: int, index: int) -> str:
    """`` (name)`` where the sequence holds the defaults of a function."""
    function = way[at - 1] if at else None
    defaults = function.__defaults__ if isinstance(function, FunctionType) else None
    if not isinstance(function, FunctionType) or defaults is None or defaults is not way[at]:
        return ""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount]
    return f" ({names[len(names) - len(defaults) + index]})"


def _in_set(way: Way, at: int) -> str:
    return " (an element)"


def _in_cell(way: Way, at: int) -> str:
    function = way[at - 2] if at >= 2 else None
    closure = function.__closure__ if isinstance(function, FunctionType) else None
    if not isinstance(function, FunctionType) or closure is None or closure is not way[at - 1]:
        return ".cell_contents"
    index = next(i for i, cell in enumerate(closure) if cell is way[at])
    return f" ({function.__code__.co_freevars[index]})"


def _in_suspended(way: Way, at: int) -> str | None:
    for name in ("gi_frame", "cr_frame", "ag_frame"):
        frame = getattr(way[at], name, None)
        if isinstance(frame, FrameType):
            local = local_name(frame, way[at + 1])
            return None if local is None else f": local {local!r}"
    return None


def local_name(frame: FrameType, value: object) -> str | None:
    """What ``frame`` calls ``value``; ``None`` if it does not."""
    return next((name for name, local in locals_of(frame).items() if local is value), None)


def locals_of(frame: FrameType) -> dict[str, object]:
    """The locals of ``frame``, as a dict of its own.

    Up to Python 3.12 reading ``f_locals`` leaves a copy of all locals in the frame, which would keep them alive until
    the function returns. Where nobody else has that copy (``locals()`` gives it out), it is emptied again.
    """
    names: Mapping[str, object] = frame.f_locals  # from Python 3.13 on a view
    copied = dict(names)
    is_function = frame.f_code.co_flags & OPTIMIZED
    if is_function and isinstance(names, dict) and sys.getrefcount(names) == _HELD_BY_FRAME:
        names.clear()
    return copied


def _as_attribute(holder: object, held: object) -> str | None:
    if isinstance(held, dict) and (isinstance(holder, type) or getattr(holder, "__dict__", None) is held):
        return ""  # the next step names the attribute
    for name, value in _attributes(holder):
        if value is held:
            return f".{name}"
    return None


def _attributes(holder: object) -> Iterator[tuple[str, object]]:
    """Names and values of the instance's dict, of its slots, and of what C types show."""
    namespace = getattr(holder, "__dict__", None)
    if isinstance(namespace, dict):
        yield from namespace.copy().items()
    for cls in type(holder).__mro__:
        for name, member in list(vars(cls).items()):
            if isinstance(member, MemberDescriptorType):
                yield name, _read(member, holder)
    for name in _COMPUTED:
        if hasattr(type(holder), name):
            yield name, getattr(holder, name, None)


def _read(member: MemberDescriptorType, holder: object) -> object:
    try:
        return member.__get__(holder, type(holder))
    except AttributeError:  # a slot that was never set
        return None


def _short(key: object) -> str:
    if isinstance(key, str | bytes | int | float | bool | None | tuple | frozenset):
        text = repr(key)
        return text if len(text) <= 40 else f"{text[:36]}…"
    return f"<{type(key).__name__}>"


_TELLERS: Final[tuple[tuple[type | tuple[type, ...], Callable[[Way, int], str | None]], ...]] = (
    (dict, _in_dict),
    ((list, tuple, deque), _in_sequence),
    ((set, frozenset), _in_set),
    (CellType, _in_cell),
    ((GeneratorType, CoroutineType, AsyncGeneratorType), _in_suspended),
)
