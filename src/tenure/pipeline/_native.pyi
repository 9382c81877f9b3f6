from collections.abc import Callable, Sequence
from typing import final

from typing_extensions import Buffer

from tenure.pipeline.intake import Conversation
from tenure.pipeline.seal.keyring import Keyring

@final
class Intake:
    rows: int
    size: int
    sealed: int
    sealed_bytes: int
    seal_ns: int
    requests: int
    protocol_errors: int
    refusal: bytes

    def __init__(
        self,
        *,
        meant: Sequence[tuple[bytes, int, int]],
        counted: bytes,
        values: int,
        bulk: int,
        args: int,
        request: int,
        keyring: Keyring,
        clock: Callable[[], int],
        answer: Callable[[Conversation, list[bytes]], bytes],
        refusals: list[bytes],
        library: str,
        records_per_key: int,
        max_keys: int,
        max_streams: int,
        ahead: int,
    ) -> None: ...
    def feed(self, conversation: Conversation, data: bytes, /) -> bytes: ...
    def take(self) -> tuple[int, list[bytes], list[bytes], list[bytes], list[bytes], bytes]: ...
    def rotate(self) -> None: ...
    def tail(self, stream: bytes, /) -> tuple[int, int, int]: ...
    def resume(self, stream: bytes, tail: tuple[int, int, int], /) -> None: ...

def marks(
    library: str,
    key: Buffer,
    counted: bytes,
    height: int,
    numbers: tuple[Buffer, ...],
    values: tuple[Buffer, ...],
    ends: tuple[Buffer, ...],
    data: tuple[Buffer, ...],
    rows: Buffer,
    out: Buffer,
    /,
) -> int: ...
