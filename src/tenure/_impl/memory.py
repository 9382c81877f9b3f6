"""The one place that chooses how owned memory is exported, and wiped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenure._impl import chosen

__all__ = ["Buffer", "ViewLease", "wiper"]

if TYPE_CHECKING or chosen.name == "pure":
    from tenure._impl.pure.buffer import Buffer, ViewLease
    from tenure._impl.pure.wiper import wiper
else:
    Buffer, ViewLease, wiper = chosen.Buffer, chosen.ViewLease, chosen.wiper
