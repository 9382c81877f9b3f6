"""An acquisition that takes time: ``async with`` owns what arrives, or releases it if nobody waits for it any more."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Generic, TypeVar

from tenure.runtime.handle import Handle, own

__all__ = ["Acquisition", "open_async"]

T = TypeVar("T")


def open_async(
    factory: Callable[..., Awaitable[T] | T], /, *args: Any, release: Callable[[T], object], **options: Any
) -> Acquisition[T]:
    """``async with open_async(factory, *args, release=…) as handle``: ``open`` for a factory that takes its time.

    An ``async def`` factory is awaited; any other is called in a worker thread, so that the event loop goes on. The
    options are those of ``open``. ``release`` is called on the event loop's thread unless ``via`` names another.

    A task that is cancelled while it waits for the factory leaves nothing open: an awaited factory is cancelled, one in
    a thread is waited for, what arrives all the same is released, and then ``CancelledError`` goes on its way. Closing
    does not wait for anything, so no cancellation can come between. For asyncio.

    Raises ``TypeError`` at once if ``release`` is an ``async def``: what nobody holds any more has to be released
    without an event loop.
    """
    if inspect.iscoroutinefunction(release):
        raise TypeError(f"release has to be an ordinary function, and {release!r} is an async one")
    return Acquisition(factory, args, {"release": release, **options})


class Acquisition(Generic[T]):
    """What ``open_async`` returns: an asynchronous context manager that gives the handle. Use it once."""

    __slots__ = ("_args", "_factory", "_handle", "_options")

    def __init__(
        self, factory: Callable[..., Awaitable[T] | T], args: tuple[Any, ...], options: dict[str, Any]
    ) -> None:
        self._factory = factory
        self._args = args
        self._options = options
        self._handle: Handle[T] | None = None

    async def __aenter__(self) -> Handle[T]:
        # In a task of its own, so that a cancellation reaches the one who waits and never the result.
        arrival: asyncio.Task[T] = asyncio.create_task(self._arrive())
        try:
            token = await asyncio.shield(arrival)
        except GeneratorExit:  # dropped half-way, so there is nobody to wait
            arrival.add_done_callback(self._release)
            raise
        except BaseException:
            if self._is_async:
                arrival.cancel()
            await _end(arrival)
            self._release(arrival)
            raise
        self._handle = self._own(token)
        return self._handle

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.close()

    @property
    def _is_async(self) -> bool:
        called = getattr(self._factory, "__call__", None)  # noqa: B004 - an object whose call is an ``async def``
        return inspect.iscoroutinefunction(self._factory) or inspect.iscoroutinefunction(called)

    async def _arrive(self) -> T:
        factory: Callable[..., Any] = self._factory
        token: T = await (factory(*self._args) if self._is_async else asyncio.to_thread(factory, *self._args))
        return token

    def _release(self, arrival: asyncio.Task[T]) -> None:
        """Nobody waits for it any more."""
        if not arrival.cancelled() and arrival.exception() is None:
            self._own(arrival.result()).close()

    def _own(self, token: T) -> Handle[T]:
        return own(token, **self._options)


async def _end(task: asyncio.Task[Any]) -> None:
    """Wait until a task has ended, however often the waiting is cancelled."""
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            continue
