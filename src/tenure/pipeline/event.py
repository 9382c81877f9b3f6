"""An event, out of the words of one ``XADD``: where it belongs, when it happened, which of its fields are secret."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tenure.pipeline.settings import FieldNames

__all__ = [
    "LATEST",
    "NAME",
    "REFUSALS",
    "Event",
    "Plan",
    "Refused",
    "StreamId",
    "not_a_number",
    "packed",
    "read_event",
    "unpacked",
]

#: The last millisecond of the year 9999, and the longest name of a stream or a tenant.
LATEST: Final = 253_402_300_799_999
NAME: Final = 512
NUMBER: Final = re.compile(rb"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
MILLISECONDS: Final = re.compile(rb"[0-9]{1,15}")
COUNT: Final = re.compile(rb"[0-9]{1,19}")
#: Half of an id; the largest is 2^64 - 1.
HALF: Final = re.compile(rb"[0-9]{1,20}")
LARGEST: Final = (1 << 64) - 1
LENGTH: Final = struct.Struct("<I")


#: Why an event is refused. Redis clients know the first seven in these words. The native reader has them in this order.
REFUSALS: Final = {
    "wrong count": "ERR wrong number of arguments for 'xadd' command",
    "bad id": "ERR Invalid stream ID specified as stream command argument",
    "zero id": "ERR The ID specified in XADD must be greater than 0-0",
    "small id": "ERR The ID specified in XADD is equal or smaller than the target stream top item",
    "no more ids": "ERR The stream has exhausted the last possible ID, unable to add more items",
    "bad syntax": "ERR syntax error",
    "bad count": "ERR value is not an integer or out of range",
    "given twice": "ERR a field that is whose it is, when it was, or a value is there twice ([fields])",
    "bad time": "ERR the event time should be milliseconds since 1970",
    "time ahead": "ERR the event time is further ahead of the clock than it may be ([windows] ahead_seconds)",
    "no tenant": "ERR the event has no field that says whose it is ([fields] tenant)",
    "long stream": f"ERR the name of a stream may have {NAME} bytes",
    "long tenant": f"ERR the name of a tenant may have {NAME} bytes",
    "bad stream": "ERR the name of a stream should be UTF-8",
    "bad tenant": "ERR the name of a tenant should be UTF-8",
    "many streams": "ERR there are as many streams as there may be ([fields] max_streams)",
}


class Refused(Exception):
    """An event that cannot be taken; the connection goes on. Its text is the reply."""

    @classmethod
    def because(cls, reason: str) -> Refused:
        """For one of the known reasons."""
        return cls(REFUSALS[reason])


def not_a_number(field: str) -> str:
    """Why an event with such a value is refused."""
    return f"ERR the value of '{field}' is not a number"


@dataclass(frozen=True)
class Plan:
    """Which field of an event is what, as a table to look a name up in."""

    names: FieldNames

    @cached_property
    def meaning(self) -> dict[bytes, tuple[str, int]]:
        """What a field name means: its part and, among the values, its place."""
        names = self.names
        table = {name.encode(): ("value", place) for place, name in enumerate(names.values)}
        table |= {name.encode(): ("secret", 0) for name in names.secret}
        table |= {names.tenant.encode(): ("tenant", 0)}
        return table | ({names.time.encode(): ("time", 0)} if names.time else {})

    @cached_property
    def counted(self) -> bytes:
        """The field whose distinct values are counted."""
        return self.names.counted.encode()


@dataclass(frozen=True)
class StreamId:
    """The id a client asks for: both numbers, the milliseconds only, or neither."""

    ms: int | None
    seq: int | None

    def after(self, last: tuple[int, int], now: int) -> tuple[int, int]:
        """The id the event gets in a stream whose last one is ``last``, by the rules Redis has."""
        if self.ms is None:
            if now > last[0]:
                return now, 0
            if last[1] < LARGEST:
                return last[0], last[1] + 1
            if last[0] < LARGEST:
                return last[0] + 1, 0
            raise Refused.because("no more ids")
        if self.seq is None:
            ms, seq = self.ms, min(last[1] + 1, LARGEST) if self.ms == last[0] else 0
        else:
            ms, seq = self.ms, self.seq
        if (ms, seq) == (0, 0):
            raise Refused.because("zero id")
        if (ms, seq) <= last:
            raise Refused.because("small id")
        return ms, seq


@dataclass(frozen=True)
class Event:
    """What one ``XADD`` says, read and checked, before it has an id of its own."""

    stream: bytes
    tenant: bytes
    id: StreamId
    #: Milliseconds since 1970; None means: when its id says.
    time: int | None
    values: tuple[float, ...]
    #: The fields with no meaning of their own, and the secret ones, packed.
    rest: bytes
    secret: bytes
    #: A hash of the field whose distinct values are counted; 0 if there is none. Never leaves the process.
    mark: int
    #: Whether it may be the first of its stream.
    begins: bool


def read_event(args: Sequence[bytes], plan: Plan) -> Event:
    """The event in the words of an ``XADD``."""
    at, begins = _after_options(args)
    if at + 1 >= len(args) or (len(args) - at) % 2 == 0:
        raise Refused.because("wrong count")
    stream_id = _read_id(args[at])
    stream = _named(args[1], "stream")
    tenant: bytes | None = None
    time: int | None = None
    values = [float("nan")] * len(plan.names.values)
    rest: list[bytes] = []
    secret: list[bytes] = []
    mark = 0
    for name, value in zip(args[at + 1 :: 2], args[at + 2 :: 2], strict=True):
        meaning, place = plan.meaning.get(name, ("rest", 0))
        if meaning == "tenant":
            _expect(tenant is None, "given twice")
            tenant = value
        elif meaning == "time":
            _expect(time is None, "given twice")
            time = _read_time(value)
        elif meaning == "value":
            _expect(values[place] != values[place], "given twice")
            values[place] = _read_number(value, name)
        elif meaning == "secret":
            secret += (name, value)
        else:
            rest += (name, value)
        if name == plan.counted:
            mark = hash(value)
    if tenant is None:
        raise Refused.because("no tenant")
    owner = _named(tenant, "tenant")
    return Event(stream, owner, stream_id, time, tuple(values), packed(rest), packed(secret), mark, begins)


def _expect(fine: bool, otherwise: str) -> None:
    """Refuse the event unless it is fine."""
    if not fine:
        raise Refused.because(otherwise)


def _after_options(args: Sequence[bytes]) -> tuple[int, bool]:
    """Where the id stands, after the options Redis knows, and whether the event may begin a stream.

    Those that trim a stream have to be right and are not obeyed: a segment log keeps all.
    """
    at, begins, trims, about = 2, True, False, False
    while at < len(args):
        word = args[at].upper()
        if word == b"NOMKSTREAM":
            begins = False
            at += 1
        elif word in (b"MAXLEN", b"MINID"):
            _expect(not trims, "bad syntax")
            trims, mark = True, b"".join(args[at + 1 : at + 2])
            about = mark == b"~"
            at += 2 if mark in (b"~", b"=") else 1
            _check_bound(word, args[at : at + 1])
            at += 1
        elif word == b"LIMIT":
            _expect(about, "bad syntax")
            _check_bound(b"MAXLEN", args[at + 1 : at + 2])
            at += 2
        else:
            break
    return at, begins


def _check_bound(option: bytes, bound: Sequence[bytes]) -> None:
    """Refuse a bound of MAXLEN that is no count, and one of MINID that is no id; a missing one is found later."""
    for word in bound:
        if option == b"MAXLEN":
            _expect(COUNT.fullmatch(word) is not None, "bad count")
        else:
            _expect(_read_id(word).seq is not None, "bad id")


def _read_id(word: bytes) -> StreamId:
    """The id in ``*``, ``5``, ``5-*`` or ``5-7``."""
    if word == b"*":
        return StreamId(None, None)
    ms, dash, seq = word.partition(b"-")
    if dash and seq == b"*":
        return StreamId(_half(ms), None)
    return StreamId(_half(ms), _half(seq) if dash else 0)


def _half(word: bytes) -> int:
    """One of the two numbers of an id."""
    _expect(HALF.fullmatch(word) is not None and int(word) <= LARGEST, "bad id")
    return int(word)


def _named(name: bytes, what: str) -> bytes:
    """The name of a stream or tenant, if it can be one."""
    if len(name) > NAME:
        raise Refused.because(f"long {what}")
    try:
        name.decode()
    except UnicodeDecodeError:
        raise Refused.because(f"bad {what}") from None
    return name


def _read_number(word: bytes, name: bytes) -> float:
    """A finite decimal number."""
    if len(word) <= 40 and NUMBER.fullmatch(word):
        number = float(word)
        if number - number == 0.0:
            return number
    raise Refused(not_a_number(name.decode()))


def _read_time(word: bytes) -> int:
    """An event time in milliseconds."""
    if MILLISECONDS.fullmatch(word) and int(word) <= LATEST:
        return int(word)
    raise Refused.because("bad time")


def packed(words: Iterable[bytes]) -> bytes:
    """Words one after the other, each with its length before it."""
    return b"".join(LENGTH.pack(len(word)) + word for word in words)


def unpacked(data: bytes | memoryview) -> list[bytes]:
    """The words that were packed."""
    words, at = [], 0
    while at < len(data):
        (length,) = LENGTH.unpack_from(data, at)
        words.append(bytes(data[at + 4 : at + 4 + length]))
        at += 4 + length
    return words
