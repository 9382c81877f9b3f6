"""The native intake, made from the same order as the Python one; which of the two runs is chosen here, once."""

from __future__ import annotations

import os
from typing import Final

from tenure.pipeline.block import Buffers
from tenure.pipeline.event import REFUSALS, not_a_number
from tenure.pipeline.intake import Intake, Order, PythonIntake
from tenure.pipeline.resp import error

__all__ = ["CHOICE", "IntakeUnavailable", "NativeIntake", "make_intake"]

#: The environment variable that asks for one of them.
CHOICE: Final = "TENURE_INTAKE"
#: In the order of `enum meaning`.
MEANINGS: Final = ("tenant", "time", "value", "secret")


class IntakeUnavailable(ImportError):
    """The native intake was asked for and cannot be had."""


class NativeIntake:
    """Does what PythonIntake says, in C: reads, seals and collects all that came together under one lease a key."""

    def __init__(self, order: Order) -> None:
        from tenure.pipeline import _native

        self.inner = _native.Intake(
            meant=[(name, MEANINGS.index(part), place) for name, (part, place) in order.plan.meaning.items()],
            counted=order.plan.counted,
            values=len(order.plan.names.values),
            bulk=order.limits.bulk,
            args=order.limits.args,
            request=order.limits.request,
            keyring=order.keyring,
            clock=order.clock,
            answer=order.answer,
            refusals=[error(text) for text in (*REFUSALS.values(), *map(not_a_number, order.plan.names.values))],
            library=order.keyring.libcrypto.path,
            records_per_key=order.records_per_key,
            max_keys=order.max_keys,
            max_streams=order.max_streams,
            ahead=order.ahead,
        )
        self.feed = self.inner.feed
        self.rotate, self.tail, self.resume = self.inner.rotate, self.inner.tail, self.inner.resume

    @property
    def rows(self) -> int:
        """Rows in the block."""
        return self.inner.rows

    @property
    def size(self) -> int:
        """About how many bytes they will need."""
        return self.inner.size

    @property
    def sealed(self) -> int:
        """Events sealed."""
        return self.inner.sealed

    @property
    def sealed_bytes(self) -> int:
        """Their secret bytes."""
        return self.inner.sealed_bytes

    @property
    def seal_seconds(self) -> float:
        """Time spent sealing them."""
        return self.inner.seal_ns / 1e9

    @property
    def protocol_errors(self) -> int:
        """Broken requests."""
        return self.inner.protocol_errors

    @property
    def refusal(self) -> bytes:
        """While this is not empty every event is refused with it."""
        return self.inner.refusal

    @refusal.setter
    def refusal(self, reply: bytes) -> None:
        self.inner.refusal = reply

    def take(self) -> Buffers:
        """The rows sealed since the last time."""
        return Buffers(*self.inner.take())


def make_intake(order: Order) -> Intake:
    """The intake of this process: the native one where it was built, unless the environment asks for the other."""
    asked = os.environ.get(CHOICE, "")
    if asked not in ("", "native", "python"):
        raise IntakeUnavailable(f"{CHOICE} is {asked!r}; it can be 'native' or 'python'")
    if asked == "python":
        return PythonIntake(order)
    try:
        return NativeIntake(order)
    except ImportError as error:
        if asked == "native":
            raise IntakeUnavailable(f"{CHOICE}=native, but: {error}") from error
        return PythonIntake(order)
