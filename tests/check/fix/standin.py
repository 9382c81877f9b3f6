"""A stand-in for whatever a piece of code touches: answers everything, writes down what is done to it, and can fail.

Two texts that do the same, apart from closing, leave the same record for the same chance and the same failing call.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import inspect
import random
import types
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any, Final

__all__ = ["Failure", "Record", "played"]

#: What only closes is no part of the record: whether and when it happens is what a fix changes.
_CLOSING: Final = ("close", "aclose", "cleanup", "release", "closerange", "free", "quit")
#: Modules that decide how code runs are taken as they are.
_REAL: Final = ("contextlib", "functools", "__future__", "typing", "abc", "dataclasses", "collections", "itertools")
_ENOUGH: Final = 120


class Failure(OSError, ValueError, RuntimeError):
    """The call that was chosen to fail; caught as almost anything."""


class _Enough(BaseException):
    """The run has gone on for as long as it may."""


class Record:
    """What was done, by which chance, and which call fails."""

    def __init__(self, chance: int, failing: int) -> None:
        self.chance = random.Random(chance)
        self.failing = failing
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)
        if len(self.lines) > _ENOUGH:
            raise _Enough
        if len(self.lines) == self.failing:
            raise Failure(line)

    def perhaps(self) -> bool:
        return self.chance.random() < 0.5


class StandIn:
    """Anything: an object, a function, a context manager, something to iterate over or to wait for."""

    _record: Record
    _name: str

    def __init__(self, record: Record, name: str) -> None:
        self.__dict__.update(_record=record, _name=name)

    def _next(self, what: str) -> StandIn:
        return StandIn(self._record, f"{self._name}{what}"[:200])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._next(f".{name}")

    def __setattr__(self, name: str, value: object) -> None:
        self._record.note(f"{self._name}.{name} = {shown(value)}")
        self.__dict__[name] = value

    def __call__(self, *args: object, **kwargs: object) -> Any:
        given = ", ".join([*map(shown, args), *(f"{key}={shown(value)}" for key, value in kwargs.items())])
        if self._name.rpartition(".")[2] not in _CLOSING:
            self._record.note(f"{self._name}({given})")
        return self._next("()")

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        """Closes."""

    async def __aenter__(self) -> StandIn:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes."""

    def __await__(self) -> Generator[None, None, StandIn]:
        return self
        yield

    def __iter__(self) -> Iterator[Any]:
        return iter([self._next("[0]"), self._next("[1]")])

    async def __aiter__(self) -> Any:
        for part in self:
            yield part

    def __bool__(self) -> bool:
        return self._record.perhaps()

    def __eq__(self, other: object) -> bool:
        return self is other or self._record.perhaps()

    def __contains__(self, member: object) -> bool:
        return self._record.perhaps()

    def __lt__(self, other: object) -> bool:
        return self._record.perhaps()

    __le__ = __gt__ = __ge__ = __lt__

    def __getitem__(self, key: object) -> Any:
        return self._next(f"[{shown(key)}]")

    def __setitem__(self, key: object, value: object) -> None:
        self._record.note(f"{self._name}[{shown(key)}] = {shown(value)}")

    def __add__(self, other: object) -> Any:
        return self._next("+")

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __truediv__ = __or__ = __and__ = __add__

    def __hash__(self) -> int:
        return hash(self._name)

    def __len__(self) -> int:
        return 2

    def __index__(self) -> int:
        return 1

    def __int__(self) -> int:
        return 1

    def __float__(self) -> float:
        return 1.0

    def __str__(self) -> str:
        return self._name

    __repr__ = __fspath__ = __str__


def shown(value: object) -> str:
    """A value in words that hold no address."""
    if isinstance(value, list | tuple | set | frozenset):
        return f"{type(value).__name__}({', '.join(map(shown, value))})"
    if isinstance(value, StandIn | str | bytes | int | float | None):
        return repr(value)
    return type(value).__name__


def played(text: str, chance: int, failing: int = 0) -> list[str]:
    """Run every function and method of a text with stand-ins for all it imports, opens and is given; the record."""
    record = Record(chance, failing)
    module = types.ModuleType("played")
    stand_ins = {name: StandIn(record, name) for name in ("open", "print", "input")}
    module.__dict__["__builtins__"] = {**vars(builtins), **stand_ins, "__import__": _importer(record)}
    _ended(record, "module", lambda: exec(compile(text, "played.py", "exec"), module.__dict__))
    for name, value in list(vars(module).items()):
        if isinstance(value, type) and value.__module__ == "played":
            _ended(record, name, partial(_lived, record, value))
        elif isinstance(value, types.FunctionType) and value.__module__ == "played":
            _ended(record, name, partial(_called, record, value))
    return record.lines


def _importer(record: Record) -> Callable[..., object]:
    def importing(name: str, *rest: Any) -> object:
        return __import__(name, *rest) if name.partition(".")[0] in _REAL else StandIn(record, name.partition(".")[0])

    return importing


def _given(record: Record, function: Callable[..., object]) -> list[StandIn]:
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    return [StandIn(record, p.name) for p in needed if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def _called(record: Record, function: Callable[..., object]) -> object:
    result = function(*_given(record, function))
    if inspect.iscoroutine(result):
        return asyncio.run(result)
    if inspect.isgenerator(result):
        with contextlib.closing(result):
            return [part for _, part in zip(range(3), result, strict=False)]
    return result


def _lived(record: Record, kind: type) -> object:
    made = _called(record, kind)
    for name in list(vars(kind)):
        if not name.startswith("__") and name not in _CLOSING:
            method = getattr(made, name)
            if callable(method) and not isinstance(method, StandIn):
                _ended(record, name, partial(_called, record, method))
    return None


def _ended(record: Record, name: str, act: Callable[[], object]) -> None:
    """How it ended is part of the record."""
    try:
        end = f"returned {shown(act())}"
    except _Enough:
        end = "went on and on"
    except Exception as error:
        end = f"raised {type(error).__name__}"
    record.lines.append(f"{name} {end}")
