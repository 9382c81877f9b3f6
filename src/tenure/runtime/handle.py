"""Handles as a program makes them: ``open`` calls a factory and owns what it returns, ``own`` takes what exists.

Whoever comes by a handle comes by this module, which hangs up the safety net before anything can be registered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from tenure._impl import Handle, Lease
from tenure._impl.contract import Job
from tenure.runtime import abandoned as abandoned

__all__ = ["Handle", "Lease", "open", "own"]

T = TypeVar("T")

#: ``open(factory, *args, release=…)`` is ``Handle(factory, *args, release=…)``.
open = Handle

if TYPE_CHECKING:

    def own(
        token: T,
        /,
        *,
        release: Callable[[T], object],
        kind: str | None = None,
        size: int = 0,
        parent: Handle[Any] | None = None,
        via: Callable[[Job], object] | None = None,
        shared: bool = False,
    ) -> Handle[T]:
        """``own(token, release=…)`` is ``Handle.own(token, release=…)``."""
else:
    own = Handle.own
