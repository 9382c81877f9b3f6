"""The form of a sealed record: its nonce, and what it is bound to besides its secret."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

__all__ = ["bound", "nonce"]

NONCE: Final = struct.Struct(">IQ")
PLACE: Final = struct.Struct("<QQq")
LENGTH: Final = struct.Struct("<I")


def nonce(epoch: int, counter: int) -> bytes:
    """Twelve bytes no other record under the same key has: the key's epoch and a counter of the key's own."""
    return NONCE.pack(epoch, counter)


def bound(stream: bytes, tenant: bytes, place: tuple[int, int, int], values: Sequence[float], rest: bytes) -> bytes:
    """All of an event that is kept in the open: the tag vouches for it too, so nothing of it can be exchanged.

    ``place`` is the id's two numbers and the event time.
    """
    return b"".join(
        (
            LENGTH.pack(len(stream)),
            stream,
            LENGTH.pack(len(tenant)),
            tenant,
            PLACE.pack(*place),
            struct.pack(f"<{len(values)}d", *values),
            rest,
        )
    )
