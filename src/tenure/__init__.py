"""Ownership for native resources: closed on every path, never used after release, every leak named with its line."""

from __future__ import annotations

from typing import Final

__all__ = ["__version__"]

__version__: Final = "0.1.0"
