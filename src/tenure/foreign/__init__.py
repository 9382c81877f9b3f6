"""Adapters for ctypes and cffi: calls that lease their arguments by themselves."""

from __future__ import annotations

from tenure.foreign.calls import LeasedCall, LeasedLibrary

__all__ = ["LeasedCall", "LeasedLibrary"]
