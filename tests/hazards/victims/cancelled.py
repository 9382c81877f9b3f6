"""An asyncio task is cancelled between acquiring and releasing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import tenure


async def cancelled_once_begun(use: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    begun = asyncio.Event()
    task = asyncio.create_task(use(begun))
    await begun.wait()
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def in_a_thread(lib: Any, protected: bool) -> None:
    """Protected by ``open`` in the thread: what nobody waits for any more is a handle, and the net closes it."""

    def acquire() -> Any:
        return tenure.open(lib.hz_open, 16, release=lib.hz_close) if protected else lib.hz_open(16)  # the line

    async def use(begun: asyncio.Event) -> None:
        begun.set()
        acquired = await asyncio.get_running_loop().run_in_executor(None, lambda: (lib.hz_work(busy, 30), acquire())[1])
        acquired.close() if protected else lib.hz_close(acquired)

    async def main() -> None:
        for _ in range(3):
            await cancelled_once_begun(use)

    busy = lib.hz_open(16)
    asyncio.run(main())  # at its end it waits for the threads
    lib.hz_close(busy)
    tenure.drain()
    print("live", lib.hz_live())


def in_a_thread_waited_for(lib: Any, protected: bool) -> None:
    """Protected by ``open_async``, which waits for the thread and releases what nobody waits for any more."""

    def acquire() -> Any:
        lib.hz_work(busy, 30)
        return lib.hz_open(16)

    async def use(begun: asyncio.Event) -> None:
        begun.set()
        if protected:
            async with tenure.open_async(acquire, release=lib.hz_close):
                return
        lib.hz_close(await asyncio.get_running_loop().run_in_executor(None, acquire))  # the result is dropped

    async def main() -> None:
        for _ in range(3):
            await cancelled_once_begun(use)
            if protected:
                print("live right after", lib.hz_live())

    busy = lib.hz_open(16)
    asyncio.run(main())
    lib.hz_close(busy)
    print("live", lib.hz_live())


def before_the_block(lib: Any, protected: bool) -> None:
    """Protected by owning it from the start: there is an ``await`` between the acquiring and the ``try``."""

    async def use() -> None:
        acquired: Any = tenure.open(lib.hz_open, 16, release=lib.hz_close) if protected else lib.hz_open(16)  # the line
        await asyncio.sleep(10)  # a handshake, a greeting
        try:
            await asyncio.sleep(10)
        finally:
            acquired.close() if protected else lib.hz_close(acquired)

    async def main() -> None:
        tasks = [asyncio.create_task(use()) for _ in range(3)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    tenure.drain()
    print("live", lib.hz_live())


def half_read(lib: Any, protected: bool) -> None:
    """Protected by the scope that owns it: an async generator left half-way ends whenever, in another task."""

    async def items(scope: tenure.Scope) -> AsyncIterator[int]:
        acquired: Any = scope.open(lib.hz_open, 16, release=lib.hz_close) if protected else lib.hz_open(16)
        try:
            yield 1
        finally:
            await asyncio.sleep(0)
            if not protected:
                lib.hz_close(acquired)

    async def main() -> None:
        with tenure.Scope() as scope:
            async for _ in items(scope):
                break
        print("live right after", lib.hz_live())

    asyncio.run(main())
