"""Handles as a program makes them: ``open`` calls a factory and owns what it returns, ``own`` takes what exists."""

from __future__ import annotations

from tenure._impl import Handle, Lease

__all__ = ["Handle", "Lease", "open", "own"]

#: ``open(factory, *args, release=…)`` is ``Handle(factory, *args, release=…)``.
open = Handle
#: ``own(token, release=…)`` is ``Handle.own(token, release=…)``.
own = Handle.own
