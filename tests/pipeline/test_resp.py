"""RESP as a server reads it: whole requests, cut ones, and what is refused before its bytes arrive."""

from __future__ import annotations

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.pipeline.resp import Limits, ProtocolError, bulk, error, integer, next_request, replies

LIMITS = Limits(bulk=64, args=8, request=128)

words = st.lists(st.binary(max_size=16), min_size=1, max_size=8)


def spoken(args: list[bytes]) -> bytes:
    return replies([bulk(arg) for arg in args])


@given(words)
def test_a_request_is_read_as_it_was_written(args: list[bytes]) -> None:
    said = spoken(args)
    assert next_request(said, 0, LIMITS) == (args, len(said))


@given(words)
def test_hiredis_reads_the_same_words(args: list[bytes]) -> None:
    reader = hiredis.Reader()
    reader.feed(spoken(args))
    found = next_request(spoken(args), 0, LIMITS)
    assert not isinstance(found, int)
    assert reader.gets() == found[0]


@given(words, st.data())
def test_a_cut_request_says_how_much_it_waits_for_and_never_too_much(args: list[bytes], data: st.DataObject) -> None:
    said = spoken(args)
    cut = data.draw(st.integers(0, len(said) - 1))
    needed = next_request(said[:cut], 0, LIMITS)
    assert isinstance(needed, int)
    assert cut < needed <= len(said)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"GET / HTTP/1.1\r\n", "expected '*', got 'G'"),
        (b"\rx", "expected '*', got '\\x0d'"),
        (b"\x16\x03\x01", "expected '*', got '\\x16'"),
        (b"*x\r\n", "invalid multibulk length"),
        (b"*\r\n", "invalid multibulk length"),
        (b"*99999999\r\n", "invalid multibulk length"),
        (b"*" + b"1" * 40, "invalid multibulk length"),
        (b"*1\r\n+OK\r\n", "expected '$', got '+'"),
        (b"*1\r\n$999999999999\r\n", "invalid bulk length"),
        (b"*1\r\n$-1\r\n", "invalid bulk length"),
        (b"*1\r\n$3\r\nabcX", "expected a line end after a bulk string"),
        (b"*3\r\n" + b"$60\r\n" + b"a" * 60 + b"\r\n$60\r\n" + b"a" * 60 + b"\r\n$9\r\n", "too big a request"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(said: bytes, why: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        next_request(said, 0, LIMITS)
    assert str(caught.value) == why


@pytest.mark.parametrize("count", [b"0", b"-1"])
def test_an_empty_request_is_no_words(count: bytes) -> None:
    assert next_request(b"*%b\r\n" % count, 0, LIMITS) == ([], 4 + len(count) - 1)


def test_an_empty_line_is_no_words() -> None:
    assert next_request(b"\r\n*1\r\n", 0, LIMITS) == ([], 2)
    assert next_request(b"\r", 0, LIMITS) == 2


def test_ping_may_be_a_line_as_redis_benchmark_says_it() -> None:
    assert next_request(b"pInG\r\n*1\r\n", 0, LIMITS) == ([b"pInG"], 6)
    assert [next_request(b"PING\r\n"[:cut], 0, LIMITS) for cut in range(1, 6)] == [6] * 5


@pytest.mark.parametrize("said", [b"PING x\r\n", b"PINGS\r\n", b"POST / HTTP/1.1\r\n", b"PING\n"])
def test_nothing_else_may_be_a_line(said: bytes) -> None:
    with pytest.raises(ProtocolError, match="expected '\\*', got 'P'"):
        next_request(said, 0, LIMITS)


def test_an_error_cannot_break_out_of_its_line() -> None:
    assert error("ERR a\r\n+OK\r\nb \udcff") == b"-ERR a +OK b \\udcff\r\n"


def test_an_integer_is_one_line() -> None:
    assert integer(-7) == b":-7\r\n"
