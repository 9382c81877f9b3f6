"""Handles as a program makes them: ``open`` calls a factory and owns what it returns, ``own`` takes what exists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from tenure._impl import Handle, Lease
from tenure._impl.contract import Job

__all__ = ["Handle", "Lease", "open", "own"]

T = TypeVar("T")

#: ``open(factory, *args, release=…)`` is ``Handle(factory, *args, release=…)``.
open = Handle

if TYPE_CHECKING:

    def own(
        token: T,
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
