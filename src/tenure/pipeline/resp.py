"""RESP, the Redis protocol, as a server reads it: one request out of a buffer, and the replies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

__all__ = ["NIL", "Limits", "ProtocolError", "bulk", "error", "integer", "next_request", "replies", "shown"]

#: The reply that means: nothing.
NIL: Final = b"$-1\r\n"
#: The longest line that can begin a request or a bulk string: a sign, 19 digits and room to spare.
LINE: Final = 32
#: The one request that may be said without counting, as redis-benchmark and health checks say it. If others could be, a
#: page in a browser could talk to a server on its machine: what it sends begins with a line of its own choice.
INLINE: Final = b"PING\r\n"


class ProtocolError(Exception):
    """The peer does not speak RESP, or asks for more than it may; the connection cannot go on."""


@dataclass(frozen=True)
class Limits:
    """How much one request may hold; all are checked when a length is announced, before its bytes arrive."""

    bulk: int = 1 << 20
    args: int = 1024
    request: int = 4 << 20
    #: The first word about a length beyond them.
    refusal: str = "invalid"

    @cached_property
    def of_strangers(self) -> Limits:
        """Those of who has not said the password: enough to say it, or to be told that it is missing."""
        return Limits(min(self.bulk, 16384), min(self.args, 64), min(self.request, 16384), "unauthenticated")


def next_request(buffer: bytes, at: int, limits: Limits) -> tuple[list[bytes], int] | int:
    """The request that begins at ``at`` and where it ends; or, while some of it is missing, how long the buffer must
    grow before it is worth asking again.

    An empty line between two requests is an empty request; ``redis-cli --pipe`` sends one. ``PING`` may be a line.

    Invariant: never waits for bytes that a limit would refuse, so what is buffered for a connection is bounded.
    """
    if buffer[at : at + 1] == b"\r" and b"\r\n".startswith(buffer[at : at + 2]):
        return ([], at + 2) if len(buffer) > at + 1 else at + 2
    line = buffer[at : at + len(INLINE)]
    if line and INLINE.startswith(line.upper()):
        return ([line[:4]], at + len(INLINE)) if len(line) == len(INLINE) else at + len(INLINE)
    head = _counted(buffer, at, b"*", "invalid multibulk length")
    if isinstance(head, int):
        return head
    count, at = head
    if count > limits.args:
        raise ProtocolError(f"{limits.refusal} multibulk length")
    args: list[bytes] = []
    room = limits.request
    for _ in range(count):
        head = _counted(buffer, at, b"$", "invalid bulk length")
        if isinstance(head, int):
            return head
        length, at = head
        if not 0 <= length <= limits.bulk:
            raise ProtocolError(f"{limits.refusal} bulk length")
        room -= length
        if room < 0:
            raise ProtocolError("too big a request")
        end = at + length
        if not b"\r\n".startswith(buffer[end : end + 2]):
            raise ProtocolError("expected a line end after a bulk string")
        if len(buffer) < end + 2:
            return end + 2
        args.append(buffer[at:end])
        at = end + 2
    return args, at


def _counted(buffer: bytes, at: int, mark: bytes, invalid: str) -> tuple[int, int] | int:
    """The number in the line ``<mark><number>\\r\\n`` at ``at``, and where the line ends; or the length to wait for."""
    if at >= len(buffer):
        return at + 4
    first = buffer[at : at + 1]
    if first != mark:
        raise ProtocolError(f"expected '{mark.decode()}', got '{shown(first)}'")
    end = buffer.find(b"\r\n", at, at + LINE)
    if end < 0:
        if len(buffer) - at >= LINE:
            raise ProtocolError(invalid)
        return len(buffer) + 1
    digits = buffer[at + 1 : end]
    if not digits.removeprefix(b"-").isdigit() or len(digits) > 19:
        raise ProtocolError(invalid)
    return int(digits), end + 2


def shown(byte: bytes) -> str:
    """A byte as a person would read it."""
    return byte.decode() if 0x20 <= byte[0] < 0x7F else f"\\x{byte[0]:02x}"


def error(message: str) -> bytes:
    """An error reply; it cannot be broken out of, whatever the message holds."""
    return f"-{' '.join(message.split())}\r\n".encode("utf-8", "backslashreplace")


def bulk(data: bytes) -> bytes:
    """A bulk string."""
    return b"$%d\r\n%b\r\n" % (len(data), data)


def integer(number: int) -> bytes:
    """An integer reply."""
    return b":%d\r\n" % number


def replies(parts: list[bytes]) -> bytes:
    """An array of replies."""
    return b"*%d\r\n%b" % (len(parts), b"".join(parts))
