"""Bytes nobody would send, for as long as you like: both intakes must answer alike, and neither may fall over.

`make fuzz` runs this for a minute under atheris, which watches which lines of the Python intake each input reaches and
grows its inputs from that; the native intake gets every one of them too. The suite itself holds the same property on
300 inputs of hypothesis (`test_intake.py`).
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tenure.pipeline"]):
    import tenure
    from tenure.pipeline.block import Buffers
    from tenure.pipeline.commands import Commands
    from tenure.pipeline.event import Plan
    from tenure.pipeline.intake import Conversation, Intake, Order, PythonIntake
    from tenure.pipeline.native import NativeIntake
    from tenure.pipeline.resp import Limits
    from tenure.pipeline.seal.keyring import Keyring
    from tenure.pipeline.seal.libcrypto import Libcrypto
    from tenure.pipeline.settings import FieldNames

LIBCRYPTO = Libcrypto()
MASTER = tenure.SecretBuffer(32)
STARTS = (
    b"*9\r\n$4\r\nXADD\r\n$2\r\nev\r\n$1\r\n*\r\n$6\r\ntenant\r\n$1\r\nt\r\n$1\r\nv\r\n$3\r\n1.5\r\n$6\r\nsecret\r\n$2\r\nhi\r\n",
    b"*5\r\n$4\r\nxadd\r\n$2\r\nev\r\n$3\r\n5-*\r\n$6\r\ntenant\r\n$0\r\n\r\n*1\r\n$4\r\nPING\r\n",
    b"PING\r\n*2\r\n$4\r\nXLEN\r\n$2\r\nev\r\n",
    b"*3\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n",
)


def order(keyring: Keyring) -> Order:
    """An order whose limits are near."""
    return Order(
        Plan(FieldNames(values=("v", "w"), secret=("secret", "pin"))),
        Limits(bulk=64, args=16, request=256),
        keyring,
        lambda: 50,
        Commands(length=lambda stream: 0, info=dict, shutdown=lambda: None),
        records_per_key=3,
        max_keys=2,
        max_streams=3,
        ahead=500,
    )


def heard(kind: type[PythonIntake] | type[NativeIntake], pieces: list[bytes]) -> tuple[list[bytes], Buffers, bytes]:
    """All that an intake makes of the pieces."""
    keyring = Keyring.of(MASTER, LIBCRYPTO, salt=b"s" * 32)
    intake: Intake = kind(order(keyring))
    conversation = Conversation()
    answers = [intake.feed(conversation, piece) for piece in pieces]
    keyring.close()
    return answers, intake.take(), bytes(conversation.pending)


def one(data: bytes) -> None:
    """One input: its first byte says how long the pieces are."""
    size = data[0] + 1 if data else 1
    pieces = [data[at : at + size] for at in range(1, len(data), size)]
    if len(pieces) <= 64:
        assert heard(PythonIntake, pieces) == heard(NativeIntake, pieces), data


def main() -> None:
    """Run the starts, then whatever atheris makes of them."""
    for folder in filter(Path.is_dir, map(Path, sys.argv[1:])):
        for number, start in enumerate(STARTS):
            (folder / f"start-{number}").write_bytes(b"\xff" + start)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
