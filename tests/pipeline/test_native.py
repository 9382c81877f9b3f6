"""The native reader of marks and the Python one: the same marks of the same rows, and the same refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenure.pipeline.block import batch_of, schema_of
from tenure.pipeline.intake import Conversation
from tenure.pipeline.native import IntakeUnavailable, make_mark_reader, native_mark_reader
from tenure.pipeline.opening import Opener, RecordRefused
from tenure.pipeline.recovery import Marks, mark_reader
from tenure.pipeline.resp import bulk, replies
from tenure.pipeline.seal.keyring import Keyring
from tenure.pipeline.segments import Frame, Header, Segment
from tenure.pipeline.writer import SegmentWriter

Sealed = Callable[..., tuple[Frame, Any]]
Read = Callable[[bytes], Marks]


@pytest.fixture
def sealed(make: Callable[..., Any], keyring: Keyring, here: Path) -> Sealed:
    """A frame of these events, and their marks as the intake found them."""

    def frame_of(*events: list[bytes], **changes: object) -> tuple[Frame, Any]:
        intake = make(**changes)
        for event in events:
            words = (b"XADD", b"ev", b"*", *event)
            assert intake.feed(Conversation(), replies([bulk(word) for word in words])).startswith(b"$")
        taken = intake.take()
        header = Header(keyring.root, ("v", "w"), schema_of(("v", "w")))
        log = SegmentWriter(here, header, 1 << 30, 1 << 20)
        log.ready()
        log.append(batch_of(taken, ("v", "w")))
        log.close()
        return next(Segment.of(log.path).frames()), np.frombuffer(taken.marks, "<i8")

    return frame_of


@pytest.fixture
def read(kind: str, opener: Opener) -> Read:
    """Makes readers of one kind."""
    return lambda counted: (native_mark_reader if kind == "native" else mark_reader)(opener, counted)


EVENTS = [
    [b"tenant", b"t1", b"v", b"1.5", b"secret", b"one"],
    [b"tenant", b"t2", b"w", b"-1e300", b"secret", b"", b"colour", b"red"],
    [b"tenant", b"t1", b"colour", b"blue", b"", b""],
    [b"tenant", b"t1", b"secret", b"one", b"pin", b"1", b"secret", b"two"],
    [b"tenant", b"t\xc3\xa9", b"secret", b"x" * 3000, b"v", b"0"],
]


def test_marks_are_what_they_were_when_the_events_came_in(sealed: Sealed, read: Read) -> None:
    frame, marks = sealed(*EVENTS, records_per_key=2)
    every = np.arange(len(EVENTS))
    assert read(b"secret")(frame, every).tolist() == marks.tolist()
    assert read(b"secret")(frame, every[[4, 0]]).tolist() == marks[[4, 0]].tolist()
    assert read(b"pin")(frame, every).tolist() == [0, 0, 0, hash(b"1"), 0]
    assert read(b"colour")(frame, every).tolist() == [0, hash(b"red"), hash(b"blue"), 0, 0]
    assert read(b"nothing")(frame, every).tolist() == [0] * 5


def altered(frame: Frame, row: int, column: str, change: Callable[[Any], Any]) -> Frame:
    """The frame with one thing changed."""
    there = frame.batch.column(column)
    values = there.cast(pa.int64()).to_pylist() if column == "time" else there.to_pylist()
    values[row] = change(values[row])
    at = frame.batch.schema.get_field_index(column)
    return frame._replace(batch=frame.batch.set_column(at, frame.batch.schema.field(at), pa.array(values, there.type)))


@pytest.mark.parametrize(
    ("column", "change", "why"),
    [
        ("sealed", lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]), "the tag does not fit"),
        ("sealed", lambda sealed: sealed[:10], "a sealed record has at least 16 bytes, this one has 10"),
        ("v", lambda value: 2.0, "the tag does not fit"),
        ("w", lambda value: 0.0, "the tag does not fit"),
        ("time", lambda time: time + 1, "the tag does not fit"),
        ("counter", lambda counter: counter + 1, "the tag does not fit"),
        ("tenant", lambda tenant: "t2", "the tag does not fit"),
        ("rest", lambda rest: b"\1\0\0\0a\1\0\0\0b", "the tag does not fit"),
    ],
)
def test_a_row_that_was_altered_is_named(
    sealed: Sealed, read: Read, column: str, change: Callable[[Any], Any], why: str
) -> None:
    frame, _ = sealed(*EVENTS)
    with pytest.raises(RecordRefused, match=rf"0000000\d\.seg, frame 0, row 3: refused, {why}"):
        read(b"secret")(altered(frame, 3, column, change), np.arange(5))


words = st.sampled_from([b"secret", b"pin", b"v", b"colour", b"", b"1", b"\xff\0", b"x" * 70])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from([b"a", b"b"]), st.lists(st.tuples(words, words), max_size=4)), min_size=1))
def test_both_readers_agree_about_anything(sealed: Sealed, opener: Opener, said: list[Any]) -> None:
    pytest.importorskip("tenure.pipeline._native", reason="the native intake was not built")
    events = [
        [b"tenant", tenant, *(word for pair in pairs if pair[0] != b"v" for word in pair)] for tenant, pairs in said
    ]
    frame, marks = sealed(*[event if len(event) > 1 else [*event, b"a", b"b"] for event in events])
    every = np.arange(len(events))
    for reader in (native_mark_reader, mark_reader):
        assert reader(opener, b"secret")(frame, every).tolist() == marks.tolist()


@pytest.fixture
def arguments(sealed: Sealed, opener: Opener) -> dict[str, Any]:
    """What the native function takes, by name, as it should be."""
    pytest.importorskip("tenure.pipeline._native", reason="the native intake was not built")
    from tenure.pipeline.native import _buffers

    frame, _ = sealed(*EVENTS)
    numbers, values, ends, data = _buffers(frame)
    given = {"library": opener.libcrypto.path, "key": bytes(32), "counted": b"secret", "height": 5, "numbers": numbers}
    return given | {"values": values, "ends": ends, "data": data, "rows": np.arange(5), "out": np.zeros(5, np.int64)}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"key": bytes(31)}, ValueError),
        ({"height": 6}, ValueError),
        ({"height": -1}, ValueError),
        ({"rows": np.arange(4)}, ValueError),
        ({"rows": np.array([0, 1, 2, 3, 5]), "key": None}, ValueError),
        ({"rows": np.array([-1, 1, 2, 3, 4])}, ValueError),
        ({"numbers": ()}, ValueError),
        ({"values": (b"",) * 9}, ValueError),
        ({"values": 3}, ValueError),
        ({"data": (b"", b"", b"", b"")}, ValueError),
        ({"ends": (b"", b"", b"", b"")}, ValueError),
        ({"ends": (b"\xff" * 24,) * 4}, ValueError),
        ({"out": bytes(40)}, BufferError),
        ({"counted": "secret"}, TypeError),
        ({"library": "libnothing.so"}, ImportError),
    ],
)
def test_columns_that_do_not_fit_are_refused_and_nothing_is_read_behind_their_end(
    arguments: dict[str, Any], changes: dict[str, Any], error: type[Exception]
) -> None:
    from tenure.pipeline import _native

    if changes.get("key", b"") is None:  # the rows before the one that is not there have to be opened
        changes = {"rows": np.array([5, 0, 1, 2, 3])}
    with pytest.raises(error):
        _native.marks(*(arguments | changes).values())
    assert _native.marks(*arguments.values()) == 0


def test_the_environment_chooses_the_reader(opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_INTAKE", "python")
    assert "mark_reader.<locals>" in make_mark_reader(opener, b"").__qualname__
    monkeypatch.setenv("TENURE_INTAKE", "both")
    with pytest.raises(IntakeUnavailable, match="'native' or 'python'"):
        make_mark_reader(opener, b"")
