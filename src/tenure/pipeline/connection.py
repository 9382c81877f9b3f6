"""One connection: bytes in, replies out, and never more of either waiting than is allowed."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, cast

from tenure.pipeline.intake import Conversation

__all__ = ["Connection", "House"]

#: Bytes of replies that may wait for a peer before it is no longer listened to, and how few are few again.
HIGH: Final = 1 << 20
LOW: Final = 1 << 18


class House(Protocol):
    """What a connection asks of the server it belongs to."""

    def entered(self, connection: Connection) -> bool:
        """Whether there is room for one more."""

    def left(self, connection: Connection) -> None:
        """It is gone."""

    def said(self, connection: Connection, data: bytes) -> None:
        """It said something; the replies come back by ``reply``."""


class Connection(asyncio.Protocol):
    """Backpressure both ways: who does not read what it is told is not listened to until it does.

    Nor is who is owed much: replies that are promised and wait for the disk fill memory as well.
    """

    __slots__ = ("awaiting_since", "conversation", "deaf", "heard", "house", "owed", "paused", "transport")

    def __init__(self, house: House, *, authenticated: bool, now: float) -> None:
        self.house = house
        self.conversation = Conversation(authenticated=authenticated)
        self.transport: asyncio.Transport | None = None
        #: When it last said anything, and since when it has been paused or has left a request unfinished.
        self.heard = now
        self.awaiting_since: float | None = None
        self.paused = self.deaf = False
        self.owed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The peer is there."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=HIGH, low=LOW)
        if not self.house.entered(self):
            self.transport.write(b"-ERR max number of clients reached\r\n")
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """The peer said something."""
        self.house.said(self, data)

    def promise(self, size: int) -> None:
        """A reply of so many bytes is to come when what it acknowledges is on the disk."""
        self.owed += size
        if self.owed > HIGH:
            self.attend()

    def redeem(self, data: bytes) -> None:
        """The reply that was promised."""
        above, self.owed = self.owed > HIGH, self.owed - len(data)
        self.reply(data)
        if above:
            self.attend()

    def reply(self, data: bytes) -> None:
        """Tell the peer; after the last word of a conversation, close."""
        if self.transport is None or self.transport.is_closing():
            return
        if data:
            # Something was answered, so whatever is unfinished now is not what was unfinished before.
            self.awaiting_since = None
            self.transport.write(data)
        if self.conversation.closing:
            self.transport.close()

    def pause_writing(self) -> None:
        """The peer does not read."""
        self.paused = True
        self.attend()

    def resume_writing(self) -> None:
        """The peer has read."""
        self.paused = False
        self.attend()

    def attend(self) -> None:
        """Listen to the peer, or do not."""
        if self.transport is None or self.transport.is_closing():
            return
        if self.paused or self.deaf or self.owed > HIGH:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        """The peer is gone."""
        self.transport = None
        self.house.left(self)

    def refuse(self, error: bytes) -> None:
        """Answer several requests by one error and close: whatever comes after it would answer the wrong one."""
        self.conversation.closing, self.owed = True, 0
        self.reply(error)

    def deafen(self) -> None:
        """Listen no more; what was heard is still answered."""
        self.deaf = True
        self.attend()

    def end(self) -> None:
        """Close after what was written is out."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close now; what was not read is dropped."""
        if self.transport is not None:
            self.transport.abort()

    def overdue(self, now: float, idle: float, stall: float) -> bool:
        """Whether it has been silent, stuck in a request or not reading for longer than allowed; asked regularly.

        While it is owed something it is the server that is waited for.
        """
        if self.owed:
            self.heard, self.awaiting_since = now, None
            return False
        if self.paused or self.conversation.pending:
            if self.awaiting_since is None:
                self.awaiting_since = now
            return bool(stall) and now - self.awaiting_since > stall
        self.awaiting_since = None
        return bool(idle) and now - self.heard > idle
