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
    scope may live as long as the program. If closing raises, the rest is closed all the same; one error is raised as
    itself, several as an ``ExceptionGroup``, and an error of the block stays visible as ``__context__``.
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
        return self.push(Handle(factory, *args, **options))

    def own(self, token: T, /, **options: Any) -> Handle[T]:
        """``tenure.own``, owned by this scope."""
        self._refuse_if_closed()
        return self.push(Handle.own(token, **options))

    def push(self, owned: H) -> H:
        """Take over a handle (or anything with ``close``); the answer is the same object."""
        self._keep(owned, owned.close)
        return owned

    def enter(self, manager: AbstractContextManager[T]) -> T:
        """Enter a context manager; it is left when the scope closes. The answer is what it gives."""
        self._refuse_if_closed()
        given = manager.__enter__()
        self._keep(manager, lambda: manager.__exit__(None, None, None))
        return given

    def callback(self, function: Callable[..., object], /, *args: Any) -> None:
        """Have ``function(*args)`` called when the scope closes."""
        self._keep(object(), lambda: function(*args))

    def pop_all(self) -> Scope:
        """A new scope that owns everything this one did; this one is empty, and goes on."""
        heir = Scope()
        heir._owned, self._owned = self._owned, {}
        return heir

    def close(self) -> None:
        """Close all, newest first; a second time does nothing."""
        self._closed = True
        failures: list[Exception] = []
        while self._owned:
            _, (_, end) = self._owned.popitem()
            try:
                end()
            except Exception as error:
                failures.append(error)
        if self._parent is not None:
            self._parent._owned.pop(id(self), None)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise ExceptionGroup("several releases of a scope failed", failures)

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
        self._owned[id(owned)] = (owned, end)

    def _drop_closed(self) -> None:
        for key, (owned, _) in list(self._owned.items()):
            if getattr(owned, "closed", False):
                self._owned.pop(key, None)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise ValueError("this scope is closed; it takes nothing more. Open another, or move the work inside it.")
