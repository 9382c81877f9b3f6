"""Calls that lease what they are given: a handle goes in, its token reaches the C function."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from tenure._impl import Handle
from tenure._impl.memory import Buffer

__all__ = ["LeasedCall", "LeasedLibrary"]

#: Makes the argument of a call from a view of a buffer's memory, such as ``ffi.from_buffer``.
FromView = Callable[[memoryview], object]


class LeasedCall:
    """``function``, called with tokens where it is given handles; each is leased until the call has returned.

    So nobody frees under the call what it uses, from whatever thread; a handle closed meanwhile is released when the
    call is over. A ``Buffer`` goes in as its address, which is what ctypes takes; cffi takes what ``from_view`` makes
    of its memory: ``LeasedCall(lib.fill, from_view=ffi.from_buffer)``. Everything else is handed on as it is, and so is
    the result: a pointer *into* what a handle owns is good for as long as the caller leases that handle itself.

    The call raises ``ClosedHandle`` before ``function`` is reached if one of its handles is closed.
    """

    __slots__ = ("_from_view", "function")

    def __init__(self, function: Callable[..., Any], *, from_view: FromView | None = None) -> None:
        self.function: Final = function
        self._from_view = from_view

    def __call__(self, *arguments: Any) -> Any:
        with ExitStack() as leases:
            return self.function(*[self._leased(each, leases) for each in arguments])

    def _leased(self, argument: Any, leases: ExitStack) -> Any:
        """What the function gets in the place of ``argument``."""
        if isinstance(argument, Buffer):
            lease = argument.lease()
            view = leases.enter_context(lease)
            return lease.address if self._from_view is None else self._from_view(view)
        if isinstance(argument, Handle):
            return leases.enter_context(argument.lease())
        return argument

    def __repr__(self) -> str:
        return f"<LeasedCall of {self.function!r}>"


class LeasedLibrary:
    """A ctypes or cffi library each of whose functions leases the handles it is given, as ``LeasedCall`` says.

    Declare result and argument types on the library itself. What is no function (constants, variables) is as there.
    """

    def __init__(self, library: Any, *, from_view: FromView | None = None) -> None:
        self._library = library
        self._from_view = from_view

    def __getattr__(self, name: str) -> Any:
        # Nothing is kept: what looks like a function may be a variable of the library that holds one, and change.
        found = getattr(self._library, name)
        return LeasedCall(found, from_view=self._from_view) if callable(found) else found

    def __repr__(self) -> str:
        return f"<LeasedLibrary of {self._library!r}>"
