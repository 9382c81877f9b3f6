"""Adapters for ctypes and cffi: calls that lease their arguments by themselves."""
