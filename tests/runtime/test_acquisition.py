"""Whoever is cancelled while acquiring, or between acquiring and owning, leaves nothing open."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

import tenure


async def arrive(token: int) -> int:
    await asyncio.sleep(0)
    return token


class Slow:
    """A factory in two forms that says when it has begun and is told when to end."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.may_end = threading.Event()
        self.cancelled = False

    def in_a_thread(self, token: int) -> int:
        self.begun.set()
        assert self.may_end.wait(10)
        return token

    async def awaited(self, token: int) -> int:
        self.begun.set()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return token

    async def stubborn(self, token: int) -> int:
        self.begun.set()
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            self.cancelled = True
        return token


async def use(factory: Callable[[int], Any], released: list[int], got: list[int]) -> None:
    async with tenure.open_async(factory, 7, release=released.append) as handle:
        with handle.lease() as token:
            got.append(token)
        await asyncio.sleep(10)


async def once(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 10)


def test_what_arrives_is_owned_and_closed_at_the_end(released: list[int]) -> None:
    async def main() -> None:
        async with tenure.open_async(arrive, 7, release=released.append, kind="guest") as handle:
            (entry,) = (e for e in tenure.ledger.snapshot() if e.kind == "guest")
            assert " in main" in str(entry.site)
            assert not handle.closed
        assert handle.closed

    asyncio.run(main())
    assert released == [7]


def test_an_ordinary_factory_is_called_in_a_thread(released: list[int]) -> None:
    async def main() -> int:
        async with tenure.open_async(threading.get_ident, release=released.append) as handle:
            with handle.lease() as token:
                return token

    assert asyncio.run(main()) != threading.get_ident()
    assert len(released) == 1


def test_an_awaited_factory_is_cancelled_with_the_one_who_waits(released: list[int]) -> None:
    slow, got = Slow(), list[int]()

    async def main() -> None:
        task = asyncio.create_task(use(slow.awaited, released, got))
        await once(slow.begun)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (slow.cancelled, got, released) == (True, [], [])


def test_what_arrives_in_spite_of_a_cancellation_is_released(released: list[int]) -> None:
    slow, got = Slow(), list[int]()

    async def main() -> None:
        task = asyncio.create_task(use(slow.stubborn, released, got))
        await once(slow.begun)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert released == [7]

    asyncio.run(main())
    assert (slow.cancelled, got) == (True, [])


@pytest.mark.parametrize("times", [1, 3])
def test_a_factory_in_a_thread_is_waited_for_and_its_result_released(released: list[int], times: int) -> None:
    slow, got = Slow(), list[int]()

    async def main() -> None:
        task = asyncio.create_task(use(slow.in_a_thread, released, got))
        await once(slow.begun)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done()
        slow.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert released == [7]

    asyncio.run(main())
    assert got == []


def test_a_cancellation_in_the_moment_of_arrival_releases(released: list[int]) -> None:
    got: list[int] = []
    arrived: list[asyncio.Task[None]] = []

    async def cancels_who_waits(token: int) -> int:
        arrived[0].cancel()
        return token

    async def main() -> None:
        arrived.append(asyncio.create_task(use(cancels_who_waits, released, got)))
        with pytest.raises(asyncio.CancelledError):
            await arrived[0]

    asyncio.run(main())
    assert (got, released) == ([], [7])


def test_a_cancellation_of_the_block_closes(released: list[int]) -> None:
    got: list[int] = []

    async def main() -> None:
        task = asyncio.create_task(use(arrive, released, got))
        while not got:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (got, released) == ([7], [7])


def test_what_was_dropped_half_way_is_released_when_it_arrives(released: list[int]) -> None:
    async def main() -> None:
        entering = tenure.open_async(arrive, 7, release=released.append).__aenter__()
        entering.send(None)
        entering.close()
        while not released:
            await asyncio.sleep(0)

    asyncio.run(main())
    assert released == [7]


def test_a_factory_that_fails_fails_as_itself(released: list[int]) -> None:
    async def main() -> None:
        async with tenure.open_async(int, "seven", release=released.append):
            raise AssertionError("the block is not reached")

    with pytest.raises(ValueError, match="seven"):
        asyncio.run(main())
    assert released == []


def test_a_release_that_has_to_be_awaited_is_refused() -> None:
    async def release(token: int) -> None:
        raise AssertionError("never called")

    with pytest.raises(TypeError, match="release has to be an ordinary function"):
        tenure.open_async(arrive, 7, release=release)
