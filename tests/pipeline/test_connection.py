"""One connection by itself: whom it belongs to is told everything, and who is waited for is not called slow."""

from __future__ import annotations

import asyncio

import pytest

from tenure.pipeline.connection import HIGH, Connection


class Transport(asyncio.Transport):
    """Keeps what was written, and whether it is read from."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.reading = b"", True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        assert high == HIGH

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class House:
    """Lets everybody in."""

    def entered(self, connection: Connection) -> bool:
        return True

    def left(self, connection: Connection) -> None:
        """Nobody minds."""

    def said(self, connection: Connection, data: bytes) -> None:
        """Nobody listens."""


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def connection(transport: Transport) -> Connection:
    made = Connection(House(), authenticated=True, now=0.0)
    made.connection_made(transport)
    return made


def test_who_is_owed_much_is_not_listened_to_until_it_has_been_told(
    connection: Connection, transport: Transport
) -> None:
    connection.promise(HIGH)
    assert transport.reading
    connection.promise(1)
    assert not transport.reading
    connection.redeem(b"x")
    assert transport.reading
    assert transport.written == b"x"


def test_who_is_owed_much_and_does_not_read_has_to_do_both(connection: Connection, transport: Transport) -> None:
    connection.promise(HIGH + 1)
    connection.pause_writing()
    connection.redeem(b"x" * (HIGH + 1))
    assert not transport.reading
    connection.resume_writing()
    assert transport.reading


def test_who_was_told_to_say_no_more_stays_unheard(connection: Connection, transport: Transport) -> None:
    connection.pause_writing()
    connection.deafen()
    connection.resume_writing()
    assert not transport.reading


def test_who_waits_for_the_server_is_neither_silent_nor_stuck(connection: Connection) -> None:
    connection.conversation.pending += b"*1\r\n$4\r\nPI"
    connection.promise(5)
    assert not connection.overdue(0.0, 300.0, 30.0)
    assert not connection.overdue(1000.0, 300.0, 30.0)
    connection.redeem(b"+OK\r\n")
    connection.conversation.pending.clear()
    assert not connection.overdue(1299.0, 300.0, 30.0)
    assert connection.overdue(1301.0, 300.0, 30.0)


def test_who_leaves_a_request_unfinished_is_stuck(connection: Connection) -> None:
    connection.conversation.pending += b"*"
    assert not connection.overdue(10.0, 300.0, 30.0)
    assert not connection.overdue(40.0, 300.0, 30.0)
    assert connection.overdue(40.5, 300.0, 30.0)
