"""Memory for secrets: locked, guarded, left out of dumps and forked children, wiped before it is released."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from tenure._impl import Handle
from tenure._impl.memory import Buffer
from tenure._impl.site import capture, outside
from tenure.errors import LockRefused, UnlockedMemory
from tenure.memory.slots import Slots, slots_for
from tenure.runtime.report import speak_up
from tenure.runtime.settings import settings

__all__ = ["SecretBuffer"]


class SecretBuffer(Buffer):
    """``size`` bytes for a secret, zero at first: a ``Buffer`` whose memory is kept from leaking elsewhere.

    Its memory is locked (never written to swap), left out of core dumps, wiped in forked children, lies between guard
    pages, and is wiped before it is released, by whomever. ``repr``, logging, pickling and copying show or take
    nothing of it, and ``bytes(secret)`` is refused.

    Where the system refuses to lock more memory, ``locked`` is False and a warning, ``UnlockedMemory``, says how to
    raise the limit; with ``strict`` (or ``configure(secrets="strict")``, or ``TENURE_SECRETS=strict``) it is an error,
    ``LockRefused``, and there is no buffer.

    Fill it without an intermediate object: ``with secret.lease() as view: os.readv(fd, [view])``.

    **What Python cannot promise.** A copy that somebody makes is not wiped: ``bytes(view)``, ``view.tobytes()``, a
    slice assigned to a ``bytearray``, a string it was decoded to, the temporary a library makes of it. While C code
    works with it, parts of it stand in registers and on the stack, where a later call overwrites them or not. Memory
    that was swapped out before a limit was raised, a hibernated machine, a debugger and the root user see what they
    can. What this class promises is about its own bytes.
    """

    __slots__ = ("_slots",)

    _slots: Slots

    def __init__(
        self,
        size: int,
        /,
        *,
        strict: bool | None = None,
        kind: str | None = None,
        parent: Handle[Any] | None = None,
    ) -> None:
        slots = slots_for(size, lock=True)
        with slots.taking:
            try:
                slots.provide()
            except LockRefused as refused:
                if settings().secrets == "strict" if strict is None else strict:
                    raise
                return self._take_unlocked(size, refused, kind, parent)
            return self._take(slots, size, kind, parent)

    def _take_unlocked(self, size: int, refused: LockRefused, kind: str | None, parent: Handle[Any] | None) -> None:
        slots = slots_for(size, lock=False)
        with slots.taking:
            if slots.provide():
                _warn(refused)
            self._take(slots, size, kind, parent)

    def _take(self, slots: Slots, size: int, kind: str | None, parent: Handle[Any] | None) -> None:
        self._slots, self._size = slots, size
        Handle.__init__(self, slots.free.pop, release=slots.release, kind=kind, size=size, parent=parent)

    @classmethod
    def own(cls, token: int, /, *, release: Callable[[int], object], **options: Any) -> NoReturn:
        """Refused: memory that came from elsewhere was neither locked nor guarded."""
        raise TypeError("a SecretBuffer lies in memory of its own; make one and read into it. Others: Buffer.own().")

    def detach(self) -> NoReturn:
        """Refused: nobody else could wipe it."""
        raise TypeError(f"{self!r} cannot be detached: nobody would wipe it.")

    @property
    def locked(self) -> bool:
        """Whether the system promised never to write it to swap."""
        return self._slots.locked

    def __bytes__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} does not become bytes, which nobody could wipe. Hand out a view: with secret.lease() as view."
        )


def _warn(refused: LockRefused) -> None:
    """Warn at the line that asked for the secret; once for each slab, as this is asked for each slab."""
    speak_up()
    warning = UnlockedMemory(**refused.facts)
    warnings.warn_explicit(warning, None, *capture(outside(sys._getframe()), 1).place)
