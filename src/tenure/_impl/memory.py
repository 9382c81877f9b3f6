"""The one place that chooses how owned memory is exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure._impl import chosen

__all__ = ["Buffer", "ViewLease"]

if TYPE_CHECKING or chosen.name == "pure":
    from tenure._impl.pure.buffer import Buffer, ViewLease
else:
    Buffer, ViewLease = chosen.Buffer, chosen.ViewLease
