"""Calls that lease what they are given, through ctypes and through cffi."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import cffi
import pytest

import tenure
from tenure.errors import ClosedHandle
from tenure.foreign import LeasedCall, LeasedLibrary
from tenure.lifecycle import State

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
libc.memset.restype = ctypes.c_void_p
COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
libc.qsort.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, COMPARE]
libc.qsort.restype = None
c = LeasedLibrary(libc)


@pytest.fixture
def block() -> Any:
    """Sixteen bytes of malloc, as a handle."""
    with tenure.open(libc.malloc, 16, release=libc.free, size=16) as handle:
        yield handle


def test_a_handle_reaches_the_function_as_its_token(block: tenure.Handle[int]) -> None:
    with block.lease() as address:
        assert c.memset(block, ord("x"), 16) == address
        assert ctypes.string_at(address, 16) == b"x" * 16
    assert block.state is State.OPEN


def test_a_handle_closed_under_a_call_is_released_when_the_call_is_over() -> None:
    released: list[int] = []
    handle = tenure.own(libc.malloc(16), release=released.append)
    seen: list[tuple[State, list[int]]] = []

    def compare(left: int, right: int) -> int:
        handle.close()
        seen.append((handle.state, list(released)))
        return 0

    c.qsort(handle, 2, 8, COMPARE(compare))
    assert seen[0] == (State.CLOSING, [])
    assert len(released) == 1
    libc.free(released[0])


def test_a_closed_handle_is_refused_before_the_function_is_reached(block: tenure.Handle[int]) -> None:
    calls: list[object] = []
    block.close()
    with pytest.raises(ClosedHandle):
        LeasedCall(calls.append)(block)
    assert calls == []


def test_a_call_that_raises_gives_its_leases_back(block: tenure.Handle[int]) -> None:
    def fail(address: int) -> None:
        raise OSError("the call failed")

    with pytest.raises(OSError, match="the call failed"):
        LeasedCall(fail)(block)
    assert block.state is State.OPEN


def test_a_release_that_raises_at_the_end_of_a_call_keeps_no_other_lease_out(block: tenure.Handle[int]) -> None:
    def refuse(token: int) -> None:
        raise OSError("cannot be released")

    other = tenure.own(1, release=refuse)
    with pytest.raises(OSError, match="cannot be released"):
        LeasedCall(lambda *tokens: other.close())(block, other)
    assert (block.state, other.state) == (State.OPEN, State.CLOSED)


def test_a_buffer_reaches_ctypes_as_its_address() -> None:
    with tenure.Buffer(4) as buffer:
        c.memset(buffer, 0x41, 4)
        with buffer.lease() as view:
            assert bytes(view) == b"AAAA"


def test_a_buffer_reaches_cffi_as_its_memory() -> None:
    ffi = cffi.FFI()
    ffi.cdef("void *memset(void *, int, size_t);")
    library = LeasedLibrary(ffi.dlopen(None), from_view=ffi.from_buffer)
    buffer = tenure.Buffer(4)
    library.memset(buffer, 0x42, 4)
    with buffer.lease() as view:
        assert bytes(view) == b"BBBB"
    buffer.close()
    assert buffer.state is State.CLOSED


def test_a_cffi_pointer_is_a_token_like_any_other() -> None:
    ffi = cffi.FFI()
    ffi.cdef("size_t strlen(const char *);")
    library = LeasedLibrary(ffi.dlopen(None))
    with tenure.open(ffi.new, "char[]", b"hello", release=ffi.release, kind="text") as text:
        assert library.strlen(text) == 5


@pytest.mark.parametrize("name", ["nothing_of_that_name", "_private"])
def test_what_a_library_lacks_is_its_own_error(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        getattr(c, name)


def test_what_is_no_function_is_as_in_the_library() -> None:
    class Library:
        VERSION = 3
        call: Callable[[int], int] = abs

    library = LeasedLibrary(Library)
    assert library.VERSION == 3
    assert library.call(-2) == 2
    assert repr(library.call) == f"<LeasedCall of {abs!r}>"
    assert repr(library) == f"<LeasedLibrary of {Library!r}>"
