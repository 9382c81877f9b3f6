"""One suite for both intakes: the Python one says what is right, the native one has to say the same, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tenure
from tenure.pipeline.block import Buffers
from tenure.pipeline.commands import Commands, password_digest
from tenure.pipeline.event import REFUSALS, Plan
from tenure.pipeline.intake import Conversation, Intake, Order, PythonIntake
from tenure.pipeline.native import NativeIntake
from tenure.pipeline.resp import Limits, bulk, error, replies
from tenure.pipeline.seal.keyring import Keyring
from tenure.pipeline.seal.libcrypto import Libcrypto
from tenure.pipeline.settings import FieldNames

Make = Callable[..., Intake]

NOW = b"1767228300000"


def spoken(*args: bytes) -> bytes:
    return replies([bulk(arg) for arg in args])


def xadd(*fields: bytes, stream: bytes = b"ev", at: bytes = b"*") -> bytes:
    return spoken(b"XADD", stream, at, *fields)


EVENT = (b"tenant", b"t1", b"v", b"12.5", b"secret", b"hush", b"colour", b"red")


def test_an_event_is_answered_with_its_id(make: Make) -> None:
    assert make().feed(Conversation(), xadd(*EVENT)) == bulk(NOW + b"-0")


def test_events_of_one_moment_are_numbered(make: Make) -> None:
    assert make().feed(Conversation(), xadd(*EVENT) * 2) == bulk(NOW + b"-0") + bulk(NOW + b"-1")


def test_a_row_holds_what_is_open_and_nothing_that_is_secret(make: Make) -> None:
    intake = make()
    intake.feed(Conversation(), xadd(*EVENT))
    taken = intake.take()
    assert taken.rows == 1
    assert taken.data[:3] == [b"ev", b"t1", b"\6\0\0\0colour\3\0\0\0red"]
    assert b"hush" not in b"".join(taken.data)
    assert len(taken.data[3]) == len(b"secrethush") + 8 + 16


def test_the_block_is_empty_after_it_was_taken(make: Make) -> None:
    intake = make()
    intake.feed(Conversation(), xadd(*EVENT))
    intake.take()
    assert (intake.rows, intake.size, intake.take().rows) == (0, 0, 0)


def test_a_request_may_come_byte_by_byte(make: Make) -> None:
    intake, conversation = make(), Conversation()
    answers = [intake.feed(conversation, bytes([byte])) for byte in xadd(*EVENT)]
    assert b"".join(answers) == bulk(NOW + b"-0")
    assert not conversation.pending


@pytest.mark.parametrize(
    "options",
    [b"MAXLEN 0", b"maxlen = 10", b"MAXLEN ~ 10", b"MAXLEN ~ 10 LIMIT 5", b"MINID 5", b"MINID ~ 5-1 LIMIT 0"],
)
def test_options_that_trim_a_stream_are_read_and_not_obeyed(make: Make, options: bytes) -> None:
    said = spoken(b"xadd", b"ev", *options.split(), b"*", *EVENT)
    assert make().feed(Conversation(), said * 2) == bulk(NOW + b"-0") + bulk(NOW + b"-1")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (b"MAXLEN x", "bad count"),
        (b"MAXLEN -1", "bad count"),
        (b"MAXLEN ~ 12345678901234567890", "bad count"),
        (b"MAXLEN 5 MINID 5", "bad syntax"),
        (b"MAXLEN 5 LIMIT 5", "bad syntax"),
        (b"MAXLEN = 5 LIMIT 5", "bad syntax"),
        (b"MAXLEN ~ 5 LIMIT x", "bad count"),
        (b"LIMIT 5", "bad syntax"),
        (b"MINID *", "bad id"),
        (b"MINID 5-*", "bad id"),
        (b"MINID x", "bad id"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(make: Make, options: bytes, why: str) -> None:
    said = spoken(b"XADD", b"ev", *options.split(), b"*", *EVENT)
    assert make().feed(Conversation(), said) == error(REFUSALS[why])


@pytest.mark.parametrize("cut", range(2, 8))
def test_options_that_are_cut_off_are_a_wrong_count(make: Make, cut: int) -> None:
    words = (b"XADD", b"ev", b"NOMKSTREAM", b"MAXLEN", b"~", b"5", b"LIMIT", b"3")
    assert make().feed(Conversation(), spoken(*words[:cut])) == error(REFUSALS["wrong count"])


def test_a_stream_is_not_begun_by_an_event_that_should_not(make: Make) -> None:
    intake = make()
    said = spoken(b"XADD", b"ev", b"NOMKSTREAM", b"*", *EVENT)
    assert intake.feed(Conversation(), said + xadd(*EVENT) + said) == b"$-1\r\n" + bulk(NOW + b"-0") + bulk(NOW + b"-1")
    assert intake.tail(b"ev")[2] == 2


LARGEST = b"18446744073709551615"


def test_ids_are_as_large_as_in_redis(make: Make) -> None:
    timed = (*EVENT, b"time", b"5")
    said = xadd(*timed, at=b"7-" + LARGEST) + xadd(*timed, at=b"7-*") + xadd(*timed, at=b"8-" + LARGEST)
    assert make().feed(Conversation(), said) == (
        bulk(b"7-" + LARGEST) + error(REFUSALS["small id"]) + bulk(b"8-" + LARGEST)
    )
    last = xadd(*timed, at=LARGEST + b"-" + LARGEST)
    assert make().feed(Conversation(), xadd(*timed, at=b"9999999999999-" + LARGEST) + xadd(*timed) + last * 2) == (
        bulk(b"9999999999999-" + LARGEST)
        + bulk(b"10000000000000-0")
        + bulk(LARGEST + b"-" + LARGEST)
        + error(REFUSALS["small id"])
    )
    assert make().feed(Conversation(), last + xadd(*timed)) == (
        bulk(LARGEST + b"-" + LARGEST) + error(REFUSALS["no more ids"])
    )


def test_an_event_from_too_far_ahead_is_refused(make: Make) -> None:
    def at(time_ms: int) -> bytes:
        return xadd(*EVENT, b"time", b"%d" % time_ms)

    said = at(int(NOW) + 1000) + at(int(NOW) + 1001) + xadd(*EVENT, at=b"%d" % (int(NOW) + 1001))
    refused = error(REFUSALS["time ahead"])
    assert make(ahead=1000).feed(Conversation(), said) == bulk(NOW + b"-0") + refused * 2


def test_a_clock_that_goes_backwards_does_not_make_ids_that_do(make: Make) -> None:
    times = iter([5000, 4000, 4999, 5001])
    intake = make(clock=lambda: next(times))
    answers = [intake.feed(Conversation(), xadd(*EVENT)) for _ in range(4)]
    assert answers == [bulk(b"5000-0"), bulk(b"5000-1"), bulk(b"5000-2"), bulk(b"5001-0")]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (spoken(b"XADD", b"ev", b"*"), REFUSALS["wrong count"]),
        (spoken(b"XADD"), REFUSALS["wrong count"]),
        (xadd(*EVENT, b"odd"), REFUSALS["wrong count"]),
        (xadd(*EVENT, at=b"x"), REFUSALS["bad id"]),
        (xadd(*EVENT, at=b"1-"), REFUSALS["bad id"]),
        (xadd(*EVENT, at=b"18446744073709551616"), REFUSALS["bad id"]),
        (xadd(*EVENT, at=b"18446744073709551615"), REFUSALS["bad time"]),
        (xadd(*EVENT, b"tenant", b"t2"), REFUSALS["given twice"]),
        (xadd(*EVENT, b"v", b"1"), REFUSALS["given twice"]),
        (xadd(*EVENT, b"time", b"1", b"time", b"2"), REFUSALS["given twice"]),
        (xadd(*EVENT, at=b"0-0"), REFUSALS["zero id"]),
        (xadd(*EVENT, b"time", b"-1"), REFUSALS["bad time"]),
        (xadd(*EVENT, b"time", b"253402300800000"), REFUSALS["bad time"]),
        (xadd(*EVENT, at=b"999999999999999"), REFUSALS["bad time"]),
        (xadd(b"v", b"1"), REFUSALS["no tenant"]),
        (xadd(*EVENT, stream=b"s" * 513), REFUSALS["long stream"]),
        (xadd(*EVENT, stream=b"\xff"), REFUSALS["bad stream"]),
        (xadd(b"tenant", b"t" * 513), REFUSALS["long tenant"]),
        (xadd(b"tenant", b"\xed\xa0\x80"), REFUSALS["bad tenant"]),
        (xadd(*EVENT, b"w", b"1_0"), "ERR the value of 'w' is not a number"),
        (xadd(*EVENT, b"w", b"1e999"), "ERR the value of 'w' is not a number"),
        (xadd(*EVENT, b"w", b"nan"), "ERR the value of 'w' is not a number"),
    ],
)
def test_an_event_that_cannot_be_taken_is_refused_and_the_connection_goes_on(make: Make, said: bytes, why: str) -> None:
    intake, conversation = make(), Conversation()
    assert intake.feed(conversation, said + xadd(*EVENT)) == error(why) + bulk(NOW + b"-0")
    assert not conversation.closing


def test_an_id_that_is_not_new_is_refused(make: Make) -> None:
    said = xadd(*EVENT, at=b"5-3") + xadd(*EVENT, at=b"5-3") + xadd(*EVENT, at=b"5-*") + xadd(*EVENT, at=b"6")
    refused = error(REFUSALS["small id"])
    assert make().feed(Conversation(), said) == bulk(b"5-3") + refused + bulk(b"5-4") + bulk(b"6-0")


def test_a_stream_goes_on_where_the_log_says(make: Make) -> None:
    intake = make()
    intake.resume(b"ev", (1_767_228_300_000, 41, 9))
    assert intake.feed(Conversation(), xadd(*EVENT)) == bulk(NOW + b"-42")
    assert intake.tail(b"ev") == (1_767_228_300_000, 42, 10)


def test_there_are_no_more_streams_than_allowed(make: Make) -> None:
    said = xadd(*EVENT, stream=b"a") + xadd(*EVENT, stream=b"b") + xadd(*EVENT, stream=b"a")
    answers = make(max_streams=1).feed(Conversation(), said)
    assert answers == bulk(NOW + b"-0") + error(REFUSALS["many streams"]) + bulk(NOW + b"-1")


def test_while_it_refuses_no_event_is_taken(make: Make) -> None:
    intake = make()
    intake.refusal = b"-ERR no room\r\n"
    assert intake.feed(Conversation(), xadd(*EVENT)) == b"-ERR no room\r\n"
    assert intake.rows == 0


def test_who_has_not_said_the_password_adds_nothing(make: Make) -> None:
    commands = Commands(length=lambda stream: 0, info=dict, shutdown=lambda: None, password=b"p" * 32)
    intake = make(answer=commands)
    answer = intake.feed(Conversation(authenticated=False), xadd(*EVENT))
    assert answer == b"-NOAUTH Authentication required.\r\n"
    assert intake.rows == 0


def let_in(password: bytes = b"sesame") -> Commands:
    return Commands(length=lambda stream: 0, info=dict, shutdown=lambda: None, password=password_digest(password))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"*65\r\n", b"unauthenticated multibulk length"),
        (b"*2\r\n$4\r\nAUTH\r\n$16385\r\n", b"unauthenticated bulk length"),
        (b"*3\r\n$16380\r\n" + b"x" * 16380 + b"\r\n$5\r\n", b"too big a request"),
    ],
)
def test_who_has_not_said_the_password_is_not_waited_for_while_he_fills_the_memory(
    make: Make, said: bytes, why: bytes
) -> None:
    intake, stranger = make(answer=let_in(), limits=Limits()), Conversation(authenticated=False)
    assert intake.feed(stranger, said) == b"-ERR Protocol error: " + why + b"\r\n"
    assert stranger.closing
    friend = Conversation(authenticated=False)
    assert intake.feed(friend, spoken(b"AUTH", b"sesame") + said) == b"+OK\r\n"
    assert not friend.closing


def test_the_limits_of_strangers_end_with_the_password_in_the_same_breath(make: Make) -> None:
    intake, peer = make(answer=let_in()), Conversation(authenticated=False)
    answer = intake.feed(peer, xadd(*EVENT[:2]) + spoken(b"AUTH", b"sesame") + xadd(*EVENT))
    assert answer == b"-NOAUTH Authentication required.\r\n+OK\r\n" + bulk(NOW + b"-0")


def test_every_request_answered_is_counted(make: Make) -> None:
    intake, said = make(), spoken(b"PING") + b"\r\n" + xadd(*EVENT) + xadd() + b"PING\r\n"
    answers = intake.feed(Conversation(), said)
    assert answers == b"+PONG\r\n" + bulk(NOW + b"-0") + error(REFUSALS["wrong count"]) + b"+PONG\r\n"
    assert intake.requests == 4


def test_broken_protocol_is_answered_once_and_nothing_after_it_is_read(make: Make) -> None:
    intake, conversation = make(), Conversation()
    answer = intake.feed(conversation, xadd(*EVENT) + b"GET / HTTP/1.1\r\n\r\n" + xadd(*EVENT))
    assert answer == bulk(NOW + b"-0") + b"-ERR Protocol error: expected '*', got 'G'\r\n"
    assert conversation.closing
    assert intake.feed(conversation, xadd(*EVENT)) == b""
    assert (intake.rows, intake.protocol_errors) == (1, 1)


def test_nothing_is_read_after_quit(make: Make) -> None:
    intake, conversation = make(), Conversation()
    assert intake.feed(conversation, spoken(b"QUIT") + xadd(*EVENT)) == b"+OK\r\n"
    assert intake.rows == 0


def test_every_tenant_has_a_key_of_its_own_and_rotation_gives_new_ones(make: Make, keyring: Keyring) -> None:
    intake = make()
    said = xadd(b"tenant", b"a") + xadd(b"tenant", b"b") + xadd(b"tenant", b"a")
    intake.feed(Conversation(), said)
    intake.rotate()
    intake.feed(Conversation(), said)
    taken = intake.take()
    assert numbers(taken, 4) == [1, 2, 1, 3, 4, 3]
    assert numbers(taken, 5, "Q") == [0, 0, 1, 0, 0, 1]
    assert (keyring.opened, keyring.closed) == (4, 2)


def test_a_key_that_sealed_all_it_may_is_replaced_and_closed(make: Make, keyring: Keyring) -> None:
    intake = make(records_per_key=2)
    intake.feed(Conversation(), xadd(*EVENT) * 5)
    assert numbers(intake.take(), 4) == [1, 1, 2, 2, 3]
    assert (keyring.opened, keyring.closed) == (3, 2)


def test_a_full_table_of_keys_begins_a_new_epoch(make: Make) -> None:
    intake = make(max_keys=2)
    intake.feed(Conversation(), b"".join(xadd(b"tenant", name) for name in (b"a", b"b", b"c")))
    assert numbers(intake.take(), 3) == [1, 1, 2]


def test_after_a_fork_nothing_is_sealed(make: Make, keyring: Keyring) -> None:
    """A child has the parent's counters: sealing with them would use a nonce twice. Its keys are not its own."""
    import os

    intake = make()
    intake.feed(Conversation(), xadd(*EVENT))
    child = os.fork()
    if child == 0:
        try:
            intake.feed(Conversation(), xadd(*EVENT))
        except tenure.errors.DisownedHandle:
            os._exit(7)
        except BaseException:
            os._exit(8)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def numbers(taken: Buffers, column: int, code: Literal["I", "Q"] = "I") -> list[int]:
    return list(memoryview(taken.numbers[column]).cast(code))


# Anything anybody may say, in any pieces: both give the same replies and the same rows.

numeric = st.one_of(
    st.floats(allow_nan=True).map(lambda f: repr(f).encode()),
    st.from_regex(rb"[+-]?[0-9]{0,20}\.?[0-9]{0,20}(e[+-]?[0-9]{0,3})?", fullmatch=True),
    st.binary(max_size=6),
)
field_names = st.sampled_from([b"tenant", b"time", b"v", b"w", b"secret", b"pin", b"colour", b""])
field_pairs = st.tuples(field_names, st.one_of(numeric, st.sampled_from([b"t1", b"t2", b"\xc3\xa9", b"\xff"])))
ids = st.one_of(
    st.just(b"*"),
    st.from_regex(rb"[0-9]{1,3}(-([0-9]{1,2}|\*))?", fullmatch=True),
    st.from_regex(rb"184467440737095516[0-9]{2}(-(184467440737095516[0-9]{2}|\*))?", fullmatch=True),
    st.binary(max_size=4),
)
option_words = st.sampled_from([b"MAXLEN", b"minid", b"LIMIT", b"NOMKSTREAM", b"~", b"=", b"5", b"5-1", b"x"])
events = st.builds(
    lambda stream, options, at, pairs, tenant: spoken(
        b"XADD",
        stream,
        *options,
        at,
        *([b"tenant", tenant] if tenant else []),
        *(word for pair in pairs for word in pair),
    ),
    st.sampled_from([b"ev", b"other", b"\xff"]),
    st.one_of(st.just([]), st.lists(option_words, max_size=5)),
    ids,
    st.lists(field_pairs, max_size=5),
    st.sampled_from([b"", b"a", b"b"]),
)
others = st.sampled_from(
    [
        spoken(b"PING"),
        b"ping\r\n",
        spoken(b"XLEN", b"ev"),
        spoken(b"NOPE"),
        b"*0\r\n",
        spoken(b"XADD", b"ev"),
        spoken(b"QUIT"),
    ]
)
noise = st.one_of(st.binary(max_size=12), st.sampled_from([b"*1\r\n$5000\r\n", b"*99\r\n", b"*2\r\n$1\r\nab", b"PIN"]))
talks = st.lists(st.one_of(events, events, events, others, noise), max_size=12).map(b"".join)


def heard(intake: Intake, pieces: list[bytes]) -> tuple[list[bytes], Buffers, Any]:
    conversation = Conversation()
    answers = [intake.feed(conversation, piece) for piece in pieces]
    left = (
        bytes(conversation.pending),
        0 if conversation.closing or not conversation.pending else conversation.needed,
        conversation.closing,
        intake.requests,
    )
    return answers, intake.take(), left


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(talk=talks, cuts=st.lists(st.integers(0, 400), max_size=5))
def test_both_intakes_say_and_seal_the_same(talk: bytes, cuts: list[int], libcrypto: Libcrypto) -> None:
    pytest.importorskip("tenure.pipeline._native", reason="the native intake was not built")
    borders = [0, *sorted(min(cut, len(talk)) for cut in cuts), len(talk)]
    pieces = [talk[a:b] for a, b in pairwise(borders)]
    with tenure.SecretBuffer(32) as master:
        found = []
        for kind in (PythonIntake, NativeIntake):
            keyring = Keyring.of(master, libcrypto, salt=b"s" * 32)
            intake = kind(like_the_others(keyring))
            found.append(heard(intake, pieces))
            keyring.close()
    assert found[0] == found[1]


def like_the_others(keyring: Keyring) -> Order:
    return Order(
        Plan(FieldNames(values=("v", "w"), secret=("secret", "pin"))),
        Limits(bulk=4096, args=64, request=8192),
        keyring,
        lambda: 50,
        Commands(length=lambda stream: 0, info=dict, shutdown=lambda: None),
        records_per_key=3,
        max_keys=2,
        ahead=500,
    )
