"""What a connection says, made into sealed rows and replies; in Python, which defines what the native one must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Protocol

from tenure.pipeline.block import Block, Buffers, Row
from tenure.pipeline.event import LATEST, Event, Plan, Refused, read_event
from tenure.pipeline.resp import NIL, Limits, ProtocolError, bulk, error, next_request
from tenure.pipeline.seal.keyring import DataKey, Keyring
from tenure.pipeline.seal.record import bound, nonce

__all__ = ["Answer", "Conversation", "Intake", "Order", "PythonIntake", "Tail"]


@dataclass(eq=False)
class Conversation:
    """What is known of one connection between two of its words."""

    authenticated: bool = True
    #: Nothing more is read from it; it is closed when its last reply is out.
    closing: bool = False
    pending: bytearray = field(default_factory=bytearray)
    #: How long ``pending`` must be before it is worth looking at it again.
    needed: int = 0
    protocol: int = 2
    name: bytes = b""


@dataclass
class Tail:
    """How far one stream has come: its last id and its length."""

    ms: int = 0
    seq: int = 0
    length: int = 0


#: Answers every command but XADD.
Answer = Callable[[Conversation, list[bytes]], bytes]


@dataclass(frozen=True)
class Order:
    """What an intake is made from."""

    plan: Plan
    limits: Limits
    keyring: Keyring
    #: Milliseconds since 1970.
    clock: Callable[[], int]
    answer: Answer
    records_per_key: int = 1 << 32
    max_keys: int = 4096
    max_streams: int = 10_000
    #: How many milliseconds an event may be ahead of the clock: one from far ahead would close every window before it.
    ahead: int = LATEST


class Intake(Protocol):
    """Requests in, replies and sealed rows out. It knows keys, and no socket."""

    #: While this is not empty every event is refused with it.
    refusal: bytes

    @property
    def rows(self) -> int:
        """Rows in the block."""

    @property
    def size(self) -> int:
        """About how many bytes they will need."""

    @property
    def sealed(self) -> int:
        """Events sealed."""

    @property
    def sealed_bytes(self) -> int:
        """Their secret bytes."""

    @property
    def seal_seconds(self) -> float:
        """Time spent sealing them."""

    @property
    def requests(self) -> int:
        """Requests answered."""

    @property
    def protocol_errors(self) -> int:
        """Broken requests."""

    def feed(self, conversation: Conversation, data: bytes) -> bytes:
        """Take what was read from a connection; what to write to it."""

    def take(self) -> Buffers:
        """The rows sealed since the last time."""

    def rotate(self) -> None:
        """Begin a new epoch of keys."""

    def tail(self, stream: bytes) -> tuple[int, int, int]:
        """Last id and length of a stream."""

    def resume(self, stream: bytes, tail: tuple[int, int, int]) -> None:
        """Go on with a stream where the log says it ended."""


class PythonIntake:
    """The definition: no line of it is clever."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.block = Block(len(order.plan.names.values))
        self.keys: dict[bytes, DataKey] = {}
        self.streams: dict[bytes, Tail] = {}
        self.sealed = self.sealed_bytes = self.requests = self.protocol_errors = 0
        self.seal_seconds = 0.0
        self.refusal = b""

    @property
    def rows(self) -> int:
        """Rows in the block."""
        return self.block.rows

    @property
    def size(self) -> int:
        """About how many bytes they will need."""
        return self.block.size

    def take(self) -> Buffers:
        """The rows sealed since the last time."""
        return self.block.take()

    def feed(self, conversation: Conversation, data: bytes) -> bytes:
        """Take what was read from a connection; what to write to it."""
        if conversation.closing:
            return b""
        conversation.pending += data
        if len(conversation.pending) < conversation.needed:
            return b""
        buffer, at, replies = bytes(conversation.pending), 0, list[bytes]()
        try:
            while not conversation.closing:
                limits = self.order.limits if conversation.authenticated else self.order.limits.of_strangers
                found = next_request(buffer, at, limits)
                if isinstance(found, int):
                    conversation.needed = found - at if at < len(buffer) else 0
                    break
                args, at = found
                if args:
                    replies.append(self.replied(conversation, args))
                    self.requests += 1
        except ProtocolError as broken:
            self.protocol_errors += 1
            conversation.closing = True
            replies.append(error(f"ERR Protocol error: {broken}"))
        del conversation.pending[:at]
        return b"".join(replies)

    def replied(self, conversation: Conversation, args: list[bytes]) -> bytes:
        """The reply to one request."""
        if args[0].upper() != b"XADD" or not conversation.authenticated:
            return self.order.answer(conversation, args)
        if self.refusal:
            return self.refusal
        try:
            return self.add(read_event(args, self.order.plan))
        except Refused as refused:
            return error(str(refused))

    def add(self, event: Event) -> bytes:
        """Seal an event and put it into the block; its id as a reply."""
        tail = self.streams.get(event.stream)
        if tail is None:
            if not event.begins:
                return NIL
            tail = self.new_tail()
        now = self.order.clock()
        ms, seq = event.id.after((tail.ms, tail.seq), now)
        time = ms if event.time is None else event.time
        if time > LATEST:
            raise Refused.because("bad time")
        if time > now + self.order.ahead:
            raise Refused.because("time ahead")
        key = self.key(event.tenant)
        numbers = (ms, seq, time, key.epoch, key.serial, key.used)
        covered = bound(event.stream, event.tenant, numbers[:3], event.values, event.rest)
        # Counted before it is used: a counter that was tried is never tried again.
        key.used += 1
        began = perf_counter()
        with key.secret.lease() as view:
            sealed = self.order.keyring.libcrypto.seal(view, nonce(key.epoch, numbers[5]), covered, event.secret)
        self.seal_seconds += perf_counter() - began
        self.block.append(Row(numbers, event.values, (event.stream, event.tenant, event.rest, sealed), event.mark))
        tail.ms, tail.seq, tail.length = ms, seq, tail.length + 1
        self.streams[event.stream] = tail
        self.sealed += 1
        self.sealed_bytes += len(event.secret)
        return bulk(b"%d-%d" % (ms, seq))

    def new_tail(self) -> Tail:
        """The end of a stream that is not there yet."""
        if len(self.streams) >= self.order.max_streams:
            raise Refused.because("many streams")
        return Tail()

    def key(self, tenant: bytes) -> DataKey:
        """The tenant's key, a new one if it has none or the old one is used up."""
        key = self.keys.get(tenant)
        if key is None or key.used >= self.order.records_per_key:
            if key is None and len(self.keys) >= self.order.max_keys:
                self.rotate()
            key = self.keys[tenant] = self.order.keyring.issue(tenant, key.serial if key else 0)
        return key

    def rotate(self) -> None:
        """Begin a new epoch of keys."""
        self.keys.clear()
        self.order.keyring.rotate()

    def tail(self, stream: bytes) -> tuple[int, int, int]:
        """Last id and length of a stream."""
        tail = self.streams.get(stream) or Tail()
        return tail.ms, tail.seq, tail.length

    def resume(self, stream: bytes, tail: tuple[int, int, int]) -> None:
        """Go on with a stream where the log says it ended."""
        self.streams[stream] = Tail(*tail)
