"""The server: listens, hands what it hears to the intake, and keeps time for everything that is due."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Final, TypeVar

import pyarrow as pa

from tenure.pipeline.books import Books
from tenure.pipeline.connection import Connection
from tenure.pipeline.doors import Doors
from tenure.pipeline.eyes.log import Tell, silent
from tenure.pipeline.intake import Intake
from tenure.pipeline.keeper import Keeper
from tenure.pipeline.settings import Settings

__all__ = ["SIGNALS", "Server"]

#: Seconds between two looks at the block, and between two syncs of ``everysec``.
TICK: Final = 0.1
SYNC: Final = 1.0
#: Seconds between two times that memory which is kept free goes back to the system; it costs about 2 ms of a thread.
GIVE_BACK: Final = 5.0
#: Seconds a drain waits for peers to read their last replies.
FAREWELL: Final = 2.0
#: How many ticks the last commit waits for whoever reads the results. If it is in vain the log makes up for it.
PATIENCE: Final = 50

#: What tells it to stop. The last says that its terminal is gone; `nohup` has it ignored, and then it stays so.
SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

T = TypeVar("T")


@dataclass(eq=False)
class Server:
    """One event loop, one intake, and one thread for what would make the loop wait: syncs and commits."""

    settings: Settings
    intake: Intake
    keeper: Keeper
    books: Books
    password: bytes = b""
    tell: Tell = silent
    connections: set[Connection] = field(default_factory=set)
    #: Replies that wait for the sync of what they acknowledge (``fsync = "always"``), and when each was asked for.
    promised: list[tuple[Connection, bytes, float]] = field(default_factory=list)
    syncing: bool = False
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    failure: BaseException | None = None
    thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "tenure-keeper"))

    def __post_init__(self) -> None:
        self.doors = Doors(self.settings.front)
        self.always = self.settings.keep.fsync == "always"
        self.books.gauges |= {
            "received": lambda: self.intake.sealed,
            "sealed": lambda: self.intake.sealed,
            "sealed_bytes": lambda: self.intake.sealed_bytes,
            "seal_seconds": lambda: self.intake.seal_seconds,
            "commands": lambda: self.intake.requests,
            "protocol_errors": lambda: self.intake.protocol_errors,
            "connections": lambda: len(self.connections),
            "waiting_rows": lambda: self.intake.rows,
        }

    async def run(self, listening: Callable[[list[str]], None]) -> None:
        """Serve until told to stop, then drain. Raises what made it stop, if something did."""
        self.loop = asyncio.get_running_loop()
        for number in SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                self.loop.add_signal_handler(number, self.stop)
        self.keeper.store()
        try:
            listening(await self.doors.open(self.connection))
            tasks = [self.loop.create_task(task) for task in self.duties()]
            await self.stopping.wait()
        finally:
            self.doors.close()
        await self.drained(tasks)

    def descriptors(self) -> list[int]:
        """Those of every socket it listens or talks at."""
        transports = [connection.transport for connection in self.connections if connection.transport is not None]
        sockets = [found for found in (transport.get_extra_info("socket") for transport in transports) if found]
        numbers = [*self.doors.descriptors, *(found.fileno() for found in sockets)]
        return [number for number in numbers if number >= 0]  # one that is being closed has none

    def connection(self) -> Connection:
        """A new one."""
        return Connection(self, authenticated=not self.password, now=monotonic())

    def stop(self) -> None:
        """Begin to drain."""
        self.stopping.set()

    def fail(self, error: BaseException) -> None:
        """Stop, because of this."""
        self.tell("failed", error=type(error).__name__)
        self.failure = self.failure or error
        self.stop()

    # What connections ask for.

    def entered(self, connection: Connection) -> bool:
        """Whether there is room for one more."""
        if len(self.connections) >= self.settings.front.max_connections or self.stopping.is_set():
            self.books.connections_refused += 1
            self.tell("connection refused", connections=len(self.connections))
            return False
        self.connections.add(connection)
        self.books.connections_opened += 1
        return True

    def left(self, connection: Connection) -> None:
        """One is gone."""
        if connection in self.connections:
            self.connections.remove(connection)
            self.books.connections_closed += 1

    def said(self, connection: Connection, data: bytes) -> None:
        """Feed the intake, and reply at once or when what is acknowledged is on the disk."""
        books = self.books
        books.batches += 1
        books.bytes_in += len(data)
        connection.heard = monotonic()
        try:
            reply = self.intake.feed(connection.conversation, data)
            now = monotonic()
            books.intake_seconds += now - connection.heard
            books.bytes_out += len(reply)
            if self.keeper.full:
                self.store()
                now = monotonic()
        except Exception as error:
            connection.abort()
            self.fail(error)
            return
        if not self.always:
            connection.reply(reply)
            books.waited(now - connection.heard)
        elif reply or connection.conversation.closing:
            self.promised.append((connection, reply, connection.heard))
            connection.promise(len(reply))
            if not self.syncing:
                self.syncing = True
                self.loop.call_soon(self.loop.create_task, self.keep_promises())

    async def keep_promises(self) -> None:
        """Store and sync until nobody waits: all who came during one sync share the next."""
        try:
            while self.promised:
                promised, self.promised = self.promised, []
                self.store()
                refusal = self.intake.refusal if self.keeper.unwritten else b""
                await self.aside(self.keeper.sync)
                now = monotonic()
                for connection, reply, heard in promised:
                    connection.refuse(refusal) if refusal else connection.redeem(reply)
                    self.books.waited(now - heard)
        except BaseException as error:
            self.fail(error)
        finally:
            self.syncing = False

    # What is due.

    def duties(self) -> list[Coroutine[None, None, None]]:
        """Everything that is done again and again."""
        keep, front = self.settings.keep, self.settings.front
        duties: list[Coroutine[None, None, None]] = [
            self.every(TICK, self.store),
            self.every(min(self.settings.seal.epoch_seconds, 86400.0), self.intake.rotate),
            self.every(min(front.stall_timeout or 60.0, 1.0), self.look_round),
            self.every_aside(keep.commit_seconds, self.commit),
            self.every_aside(GIVE_BACK, self.give_back),
        ]
        return duties + ([self.every_aside(SYNC, self.sync)] if keep.fsync == "everysec" else [])

    async def every(self, seconds: float, duty: Callable[[], None]) -> None:
        """Do it now and then; whatever it raises stops the server."""
        while True:
            await asyncio.sleep(seconds)
            try:
                duty()
            except Exception as error:
                self.fail(error)

    async def every_aside(self, seconds: float, duty: Callable[[], Awaitable[None]]) -> None:
        """The same for what takes its time."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await duty()
            except Exception as error:
                self.fail(error)

    async def aside(self, work: Callable[..., T], *args: object) -> T:
        """Do it in the thread; it is done even if whoever waits for it is cancelled before its turn has come."""
        return await asyncio.shield(self.loop.run_in_executor(self.thread, work, *args))

    async def sync(self) -> None:
        """What ``everysec`` promises."""
        await self.aside(self.keeper.sync)

    def store(self) -> None:
        """What was collected into the log, and from there, step by step, into the windows."""
        if self.keeper.store() and self.keeper.folding is None:
            self.loop.call_soon(self.fold)

    def fold(self) -> None:
        """What is due between two rounds of requests, and if that was not all, more after the next round."""
        try:
            if self.keeper.keep_up():
                self.loop.call_soon(self.fold)
        except Exception as error:
            self.fail(error)

    async def commit(self) -> None:
        """Closed windows into the results."""
        for _ in range(2):  # what is being folded, and what was gathered meanwhile; little is left for `due`
            while self.keeper.keep_up():
                await asyncio.sleep(0)
        commit = self.keeper.due()
        if commit is not None:
            await self.aside(self.keeper.commit, commit)

    async def give_back(self) -> None:
        """What a busy moment needed is not held for good."""
        await self.aside(pa.default_memory_pool().release_unused)

    def look_round(self) -> None:
        """Close connections that have been silent, stuck or deaf for too long."""
        now, front = monotonic(), self.settings.front
        for connection in [c for c in self.connections if c.overdue(now, front.idle_timeout, front.stall_timeout)]:
            self.books.stalled += 1
            self.tell("connection stalled", silent_seconds=round(now - connection.heard, 3))
            connection.abort()

    async def drained(self, tasks: list[asyncio.Task[None]]) -> None:
        """Write, sync and commit everything, say goodbye, and raise what went wrong."""
        self.tell("draining", connections=len(self.connections))
        for connection in self.connections:
            connection.deafen()
        while self.syncing:
            await asyncio.sleep(0.001)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.keeper.store()
        for connection in list(self.connections):
            connection.end()
        deadline = self.loop.time() + FAREWELL
        while self.connections and self.loop.time() < deadline:
            await asyncio.sleep(0.005)
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)
        commit = self.keeper.due(last=True)
        for _ in range(PATIENCE):
            if commit is None or await self.aside(self.keeper.commit, commit):
                break
            commit = replace(commit, closed=())
            await asyncio.sleep(TICK)
        self.thread.shutdown()
        if self.failure is not None:
            raise self.failure
