"""Native memory that is owned: plain buffers, and secret buffers that are locked and wiped."""

from __future__ import annotations

from tenure._impl.memory import Buffer, ViewLease
from tenure.memory.secret import SecretBuffer
from tenure.runtime import abandoned as abandoned  # hangs up the safety net before anything can be registered

__all__ = ["Buffer", "SecretBuffer", "ViewLease"]
