"""What was sealed opens again, elsewhere too; and whatever was altered, cut or moved is refused with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import tenure
from tenure.pipeline.block import batch_of, schema_of
from tenure.pipeline.event import unpacked
from tenure.pipeline.intake import Conversation, Intake
from tenure.pipeline.opening import Opened, Opener, RecordRefused, WrongKey
from tenure.pipeline.resp import bulk, replies
from tenure.pipeline.seal.keyring import Keyring, Root
from tenure.pipeline.seal.libcrypto import Libcrypto
from tenure.pipeline.segments import Frame, Header
from tenure.pipeline.succession import Succession

Make = Callable[..., Intake]
VALUES = ("v", "w")


@pytest.fixture
def frame(make: Make, keyring: Keyring) -> Frame:
    """Three sealed events."""
    intake = make()
    for tenant in (b"a", b"b", b"a"):
        words = (b"XADD", b"ev", b"*", b"tenant", tenant, b"v", b"2", b"secret", b"s-" + tenant, b"x", b"y")
        intake.feed(Conversation(), replies([bulk(word) for word in words]))
    batch = batch_of(intake.take(), VALUES)
    return Frame(Path("7.seg"), 4, Header(keyring.root, VALUES, schema_of(VALUES)), batch)


def altered(frame: Frame, name: str, values: list[object]) -> Frame:
    at = frame.batch.schema.get_field_index(name)
    column = pa.array(values, frame.batch.schema.field(at).type)
    return frame._replace(batch=frame.batch.set_column(at, frame.batch.schema.field(at), column))


def test_what_was_sealed_opens(frame: Frame, opener: Opener) -> None:
    first, second, third = opener.opened(frame)
    assert first == Opened(
        "ev", "a", "1767228300000-0", 1_767_228_300_000, {"v": 2.0, "w": None}, {"x": "y"}, {"secret": "s-a"}
    )
    assert (second.secret, third.id) == ({"secret": "s-b"}, "1767228300000-2")


def test_another_library_opens_it_by_the_documented_form(frame: Frame) -> None:
    row = frame.batch.to_pylist()[1]
    info = b"tenure pipeline 1 data key" + row["epoch"].to_bytes(4, "big") + row["key"].to_bytes(4, "big") + b"b"
    key = HKDF(SHA256(), 32, frame.header.root.salt, info).derive(bytes(range(32)))
    number = row["epoch"].to_bytes(4, "big") + row["counter"].to_bytes(8, "big")
    nan = b"\0\0\0\0\0\0\xf8\x7f"
    bound = (
        b"\2\0\0\0ev\1\0\0\0b"
        + b"".join(n.to_bytes(8, "little") for n in (row["ms"], row["seq"], 1_767_228_300_000))
        + (b"\0\0\0\0\0\0\0@" + nan)
        + row["rest"]
    )
    assert unpacked(AESGCM(key).decrypt(number, row["sealed"], bound)) == [b"secret", b"s-b"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sealed", lambda old: bytes([old[0] ^ 1]) + old[1:]),
        ("sealed", lambda old: old[:-1] + bytes([old[-1] ^ 1])),
        ("sealed", lambda old: old[:-1]),
        ("sealed", lambda old: old[:15]),
        ("counter", lambda old: old + 1),
        ("key", lambda old: old + 1),
        ("epoch", lambda old: old + 1),
        ("tenant", lambda old: old + "x"),
        ("stream", lambda old: "other"),
        ("seq", lambda old: old + 1),
        ("v", lambda old: old + 1),
        ("w", lambda old: 0.0),
        ("rest", lambda old: b""),
    ],
)
def test_whatever_is_altered_is_refused_with_its_place(
    frame: Frame, opener: Opener, name: str, change: Callable[[object], object]
) -> None:
    column = frame.batch.column(name).to_pylist()
    column[1] = change(column[1])
    opened = opener.opened(altered(frame, name, column))
    assert next(opened).secret == {"secret": "s-a"}
    with pytest.raises(RecordRefused, match=r"^7\.seg, frame 4, row 1: refused, "):
        next(opened)


def test_two_records_that_change_places_are_refused(frame: Frame, opener: Opener) -> None:
    first, second, third = frame.batch.column("sealed").to_pylist()
    with pytest.raises(RecordRefused, match="row 0"):
        list(opener.opened(altered(frame, "sealed", [third, second, first])))


def test_one_that_is_refused_does_not_keep_the_others_shut(frame: Frame, opener: Opener) -> None:
    sealed = frame.batch.column("sealed").to_pylist()
    refused: list[RecordRefused] = []
    changed = altered(frame, "sealed", [sealed[0], b"x" * 30, sealed[2]])
    found = list(opener.readable(changed, refused.append, Succession()))
    assert [event.secret["secret"] for event in found] == ["s-a", "s-a"]
    assert [str(what) for what in refused] == ["7.seg, frame 4, row 1: refused, the tag does not fit"]


def test_another_master_key_is_named_before_anything_is_opened(frame: Frame, libcrypto: Libcrypto) -> None:
    named = r"sealed under the master key [0-9a-f]{16}; the key file holds [0-9a-f]{16}"
    with tenure.SecretBuffer(32) as other, Opener(libcrypto, other) as opener, pytest.raises(WrongKey, match=named):
        list(opener.opened(frame))


def test_a_header_whose_commitment_does_not_fit_is_refused(frame: Frame, opener: Opener) -> None:
    root = Root(b"t" * 32, frame.header.root.key_id, frame.header.root.commitment)
    with pytest.raises(WrongKey, match="the header's commitment does not fit"):
        list(opener.opened(frame._replace(header=Header(root, VALUES, frame.header.schema))))


def test_a_header_whose_commitment_cannot_be_made_leaves_no_key_open(frame: Frame, opener: Opener) -> None:
    before = tenure.ledger.counts().open
    with pytest.raises(UnicodeEncodeError) as caught:
        opener.root(Header(frame.header.root, ("\ud800",), frame.header.schema), "here")
    assert caught.tb is not None  # it still holds every frame, so nothing was released by being forgotten
    assert tenure.ledger.counts().open == before


def test_a_header_that_names_the_values_in_another_order_is_refused(frame: Frame, opener: Opener) -> None:
    swapped = Header(frame.header.root, VALUES[::-1], schema_of(VALUES[::-1]))
    with pytest.raises(WrongKey, match="the header's commitment does not fit"):
        list(opener.opened(frame._replace(header=swapped)))


def test_keys_that_are_kept_are_few_and_all_are_closed(frame: Frame, opener: Opener) -> None:
    for number in range(300):
        opener.key(frame.header, b"t%d" % number, 1, 1, "here")
    assert len(opener.keys) == 256
    opener.close()
    assert not opener.keys
