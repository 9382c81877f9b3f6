"""Owned memory: a handle whose token is an address, and whose every exported view is a lease.

A view is a ``memoryview`` of an exporter, a ctypes array laid over the memory. The exporter holds a lease, and every
memoryview, slice, cast and foreign buffer made from it holds the exporter; so the lease comes back when the last of
them is gone, and not before, whatever became of the block that took it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache
from operator import index
from typing import Any, Final, NoReturn, TypeVar

from tenure._impl.contract import Job
from tenure._impl.pure import refuse
from tenure._impl.pure.books import queue
from tenure._impl.pure.handle import Handle
from tenure._impl.pure.lease import Lease
from tenure._impl.pure.release import settle
from tenure._impl.pure.remains import Remains
from tenure.errors import NoToken
from tenure.lifecycle import State

__all__ = ["Buffer", "ViewLease"]

Self = TypeVar("Self", bound="Buffer")

_CLOSING: Final = State.CLOSING
_libc: Final = ctypes.CDLL(None)
_calloc: Final = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)(("calloc", _libc))
_free: Final = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(("free", _libc))


@lru_cache(maxsize=128)
def _exporter_of(size: int) -> type[ctypes.Array[ctypes.c_ubyte]]:
    """The class of exporters of ``size`` bytes; an instance holds the lease that keeps its memory."""
    return type(f"Exporter{size}", (ctypes.c_ubyte * size,), {"__del__": _last_view_gone})


def _last_view_gone(exporter: Any) -> None:
    # Runs wherever the last view was dropped, perhaps in the collector: what it ends it leaves to the safety net.
    lease = exporter.lease
    handle = lease._handle
    handle._leases.pop(lease, None)
    if handle._state is _CLOSING and not handle._leases:
        queue.put(Remains(handle, leaked=False))


def _export(lease: Lease[int], size: int) -> memoryview:
    """A view of the memory that ``lease`` is on; with the last one of it the lease comes back."""
    exporter = _exporter_of(size).from_address(lease.token)
    exporter.lease = lease  # type: ignore[attr-defined]
    return memoryview(exporter).cast("B")


class ViewLease:
    """A right to see the memory of a buffer, which puts off its release. As a context manager it gives the view.

    Giving it back releases the view. A slice of it, or an array made from it, goes on being valid, and keeps the
    memory, until it is gone too.
    """

    __slots__ = ("__weakref__", "_lease", "_out", "_view")

    def __init__(self, lease: Lease[int], size: int) -> None:
        self._lease = lease
        self._view = _export(lease, size)
        self._out = True

    @property
    def token(self) -> memoryview:
        """The view, as long as the lease is out; ``ClosedHandle`` after."""
        self._check()
        return self._view

    @property
    def address(self) -> int:
        """Where the memory is, for a C function that takes a pointer; good for as long as the lease is out."""
        self._check()
        return self._lease.token

    def give_back(self) -> None:
        """Release the view, and end the lease unless something else was made of it; a second time does nothing."""
        self._out = False
        try:
            self._view.release()
        except BufferError:  # somebody exported it further, and holds it as long as that is needed
            return
        handle = self._lease._handle
        if handle._state is _CLOSING and not handle._leases:
            settle(handle)

    def _check(self) -> None:
        if not self._out:
            refuse.closed(self._lease._handle, "the lease of ")

    def __enter__(self) -> memoryview:
        return self._view

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.give_back()

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{self!r} cannot be copied or pickled: it would be given back twice.")

    def __repr__(self) -> str:
        return f"<ViewLease of {self._lease._handle._which}, {'out' if self._out else 'given back'}>"


class Buffer(Handle[int]):
    """``size`` bytes of C memory, zero at first, that are seen through leases only.

    ``with buffer.lease() as view:`` gives a writable ``memoryview``; ``buffer.view()`` gives one without a block. Each
    is a lease for as long as it, or anything made from it, lives: a close puts the release off until the last is gone
    (or is refused, if configured so), so a view never dangles. From Python 3.12 on, and with the native
    implementation everywhere, the buffer itself goes wherever bytes-like objects go, ``os.readv(fd, [buffer])``.

    ``Buffer.own(address, size=n, release=free)`` owns memory that a library handed out. Raises ``MemoryError`` if there
    is no memory, ``ValueError`` if ``size`` is not at least 1.
    """

    __slots__ = ("_size",)

    _size: int

    def __init__(self, size: int, /, *, kind: str | None = None, parent: Handle[Any] | None = None) -> None:
        self._size = _at_least_one(size)
        try:
            super().__init__(_calloc, 1, size, release=_free, kind=kind, size=size, parent=parent)
        except NoToken:
            raise MemoryError(f"no memory for a buffer of {size} bytes") from None

    @classmethod
    def own(
        cls: type[Self],
        token: int,
        /,
        *,
        release: Callable[[int], object],
        kind: str | None = None,
        size: int = 0,
        parent: Handle[Any] | None = None,
        via: Callable[[Job], object] | None = None,
        shared: bool = False,
    ) -> Self:
        """Own the ``size`` bytes at address ``token``, which exist already and which ``release`` frees."""
        _at_least_one(size)
        self = super().own(token, release=release, kind=kind, size=size, parent=parent, via=via, shared=shared)
        self._size = size
        return self

    def lease(self) -> ViewLease:  # type: ignore[override]  # its token is the view, not the address
        """A right to see the memory: ``with buffer.lease() as view: …``, a writable ``memoryview``.

        Raises ``ClosedHandle`` from the moment of ``close()`` on.
        """
        return ViewLease(super().lease(), self._size)

    def view(self) -> memoryview:
        """A writable view that is a lease itself, until it and all that was made from it are gone."""
        return _export(super().lease(), self._size)

    def __buffer__(self, flags: int, /) -> memoryview:
        return self.view()

    def __len__(self) -> int:
        return self._size


def _at_least_one(size: int) -> int:
    """``size``, if it is a number of bytes that memory can have."""
    if index(size) < 1:
        raise ValueError(f"a buffer has at least 1 byte, not {size}")
    return size
