"""An owner of many: closes what it owns, newest first, when its block ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar

from tenure._impl import Handle

__all__ = ["Scope"]

T = TypeVar("T")
H = TypeVar("H", bound=Handle[Any])


class Scope:
    """Owns handles, context managers and callbacks, and closes them newest first.

    ``with Scope() as scope:`` closes at the end of the block; without a block, ``close()`` does. A scope with a
    ``parent`` is owned by it, so scopes form a tree. What is closed earlier is let go of as the scope grows, so a
    scope may live as long as the program. If closing raises, even by an interrupt, the rest is closed all the same; one
    error is raised as itself, several as an ``ExceptionGroup``, and an error of the block stays visible as
    ``__context__``. Threads may share a scope: what comes while another closes it is refused, and not left open.
    """

    __slots__ = ("__weakref__", "_closed", "_owned", "_parent", "_sweep_at")

    def __init__(self, parent: Scope | None = None) -> None:
        # A dict as an ordered set: what is closed early leaves it in one step.
        self._owned: dict[int, tuple[Any, Callable[[], object]]] = {}
        self._sweep_at = 64
        self._closed = False
        self._parent = parent
        if parent is not None:
            parent._keep(self, self.close)

    def open(self, factory: Callable[..., T], /, *args: Any, **options: Any) -> Handle[T]:
        """``tenure.open``, owned by this scope."""
        self._refuse_if_closed()
        handle = Handle(factory, *args, **options)
        self._keep_or(handle.close, handle, handle.close)
        return handle

    def own(self, token: T, /, **options: Any) -> Handle[T]:
        """``tenure.own``, owned by this scope."""
        self._refuse_if_closed()
        handle: Handle[T] = Handle.own(token, **options)
        self._keep_or(handle.detach, handle, handle.close)
        return handle

    def push(self, owned: H) -> H:
        """Take over a handle (or anything with ``close``); the answer is the same object."""
        self._keep(owned, owned.close)
        return owned

    def enter(self, manager: AbstractContextManager[T]) -> T:
        """Enter a context manager; it is left when the scope closes. The answer is what it gives."""
        self._refuse_if_closed()
        given = manager.__enter__()

        def leave() -> None:
            manager.__exit__(None, None, None)

        self._keep_or(leave, manager, leave)
        return given

    def callback(self, function: Callable[..., object], /, *args: Any) -> None:
        """Have ``function(*args)`` called when the scope closes."""
        self._keep(object(), lambda: function(*args))

    def pop_all(self) -> Scope:
        """A new scope that owns everything this one did; this one is empty, and goes on."""
        heir = Scope()
        self._owned, heir._owned = heir._owned, self._owned
        return heir

    def close(self) -> None:
        """Close all, newest first; a second time does nothing."""
        self._closed = True
        failures: list[BaseException] = []
        while self._owned:
            try:
                _, (_, end) = self._owned.popitem()
            except KeyError:  # another thread that closes it was faster
                break
            try:
                end()
            except BaseException as error:
                failures.append(error)
        if self._parent is not None:
            self._parent._owned.pop(id(self), None)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise BaseExceptionGroup("several releases of a scope failed", failures)

    @property
    def closed(self) -> bool:
        """Whether it owns nothing more, and takes nothing more."""
        return self._closed

    def __len__(self) -> int:
        """How many it owns that are open."""
        self._drop_closed()
        return len(self._owned)

    def __bool__(self) -> bool:
        return True

    def __enter__(self) -> Scope:
        self._refuse_if_closed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _keep(self, owned: Any, end: Callable[[], object]) -> None:
        self._refuse_if_closed()
        if len(self._owned) >= self._sweep_at:
            self._drop_closed()
            self._sweep_at = max(64, 2 * len(self._owned))  # so that sweeping costs a constant for each push
        # Invariant: it is kept before the scope is looked at again, as close() does the reverse.
        self._owned[id(owned)] = (owned, end)
        if self._closed and self._owned.pop(id(owned), None) is not None:
            self._refuse_if_closed()

    def _keep_or(self, undo: Callable[[], object], owned: Any, end: Callable[[], object]) -> None:
        """Keep what was just made; if it cannot be kept, ``undo`` it."""
        try:
            self._keep(owned, end)
        except BaseException:
            undo()
            raise

    def _drop_closed(self) -> None:
        for key, (owned, _) in list(self._owned.items()):
            if getattr(owned, "closed", False):
                self._owned.pop(key, None)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise ValueError("this scope is closed; it takes nothing more. Open another, or move the work inside it.")
