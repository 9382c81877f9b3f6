"""What owned memory promises, whichever implementation runs: views are leases, and nothing dangles.

Secrets are built over the implementation that the process chose, so the suite runs for that one here, and for the other
in a process of its own, by the last test.
"""

from __future__ import annotations

import copy
import ctypes
import gc
import hmac
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

import tenure
from tenure import _impl
from tenure.errors import ClosedHandle, LeasedHandle
from tenure.lifecycle import State

pytestmark = pytest.mark.usefixtures("leaks_are_reported")

SPEAKS = sys.version_info >= (3, 12) or tenure.implementation == "native"
needs_protocol = pytest.mark.skipif(not SPEAKS, reason="a pure class can export its memory from Python 3.12 on")


def state_of(buffer: tenure.Buffer) -> State:
    return buffer.state


def drop_a_secret() -> None:
    tenure.SecretBuffer(8)
    gc.collect()
    tenure.drain()


@pytest.fixture(autouse=True)
def _books_balance() -> Iterator[None]:
    before = tenure.ledger.snapshot()
    yield
    gc.collect()
    tenure.drain()
    assert not tenure.ledger.diff(before, tenure.ledger.snapshot()).opened


@pytest.fixture(params=[tenure.Buffer, tenure.SecretBuffer], ids=["buffer", "secret"])
def buffer(request: pytest.FixtureRequest) -> Iterator[tenure.Buffer]:
    with request.param(100) as it:
        yield it


def test_a_lease_gives_a_writable_view_of_zeros(buffer: tenure.Buffer) -> None:
    with buffer.lease() as view:
        assert (view.readonly, view.format, view.nbytes) == (False, "B", 100)
        assert view.tobytes() == bytes(100)
        view[1:4] = b"abc"
    with buffer.lease() as view:
        assert view[:5].tobytes() == b"\0abc\0"


def test_the_view_of_a_lease_is_released_with_it(buffer: tenure.Buffer) -> None:
    with buffer.lease() as view:
        pass
    with pytest.raises(ValueError, match="released"):
        view[0]


def test_the_ledger_knows_kind_and_size(buffer: tenure.Buffer) -> None:
    entry = tenure.ledger.snapshot()[-1]
    assert (entry.kind, entry.size, len(buffer)) == (type(buffer).__name__, 100, 100)
    assert entry.site.place[0] == __file__


@pytest.mark.parametrize("kind", [tenure.Buffer, tenure.SecretBuffer])
def test_one_frame_is_enough_to_name_the_line_that_opened_it(kind: type[tenure.Buffer]) -> None:
    before = tenure.configure(sites=1)
    try:
        with kind(8):
            assert tenure.ledger.snapshot()[-1].site.place[0] == __file__
    finally:
        tenure.configure(sites=before.sites)


def test_a_closed_buffer_gives_no_view(buffer: tenure.Buffer) -> None:
    buffer.close()
    with pytest.raises(ClosedHandle):
        buffer.lease()
    with pytest.raises(ClosedHandle):
        buffer.view()


def test_a_file_is_read_into_it_without_a_copy(buffer: tenure.Buffer) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"key")
    with buffer.lease() as view:
        assert os.readv(reader, [view]) == 3
        assert hmac.compare_digest(view[:3], b"key")
    os.close(reader)
    os.close(writer)


def test_a_lease_tells_the_address_for_c(buffer: tenure.Buffer) -> None:
    lease = buffer.lease()
    ctypes.memset(lease.address, ord("x"), 2)
    assert lease.token[:3].tobytes() == b"xx\0"
    lease.give_back()
    with pytest.raises(ClosedHandle):
        lease.address  # noqa: B018
    with pytest.raises(ClosedHandle):
        lease.token  # noqa: B018


def test_giving_a_lease_back_twice_is_as_once(buffer: tenure.Buffer) -> None:
    other, lease = buffer.lease(), buffer.lease()
    lease.give_back()
    lease.give_back()
    assert state_of(buffer) is State.LEASED
    other.give_back()
    assert state_of(buffer) is State.OPEN


def test_the_last_lease_back_releases_a_closing_buffer_at_once(buffer: tenure.Buffer) -> None:
    with buffer.lease() as view:
        buffer.close()
        view[:2] = b"ok"
        assert state_of(buffer) is State.CLOSING
    assert state_of(buffer) is State.CLOSED


def test_a_slice_kept_from_a_lease_keeps_the_memory(buffer: tenure.Buffer) -> None:
    with buffer.lease() as view:
        view[:4] = b"kept"
        part = view[1:3]
    buffer.close()
    assert state_of(buffer) is State.CLOSING
    assert part.tobytes() == b"ep"
    del part
    tenure.drain()
    assert state_of(buffer) is State.CLOSED


def test_an_array_made_from_a_view_keeps_the_memory(buffer: tenure.Buffer) -> None:
    with buffer.lease() as view:
        array = (ctypes.c_ubyte * 100).from_buffer(view)
        array[0] = 7
    del view
    buffer.close()
    assert state_of(buffer) is State.CLOSING
    assert array[0] == 7
    del array
    gc.collect()
    tenure.drain()
    assert state_of(buffer) is State.CLOSED


def test_a_view_without_a_block_is_a_lease(buffer: tenure.Buffer) -> None:
    view = buffer.view()
    view[:2] = b"hi"
    assert state_of(buffer) is State.LEASED
    buffer.close()
    assert view[:2].tobytes() == b"hi"
    view.release()
    tenure.drain()
    assert state_of(buffer) is State.CLOSED


def test_a_view_keeps_a_buffer_that_nobody_names() -> None:
    view = tenure.Buffer(8).view()
    view[:] = b"12345678"
    gc.collect()
    tenure.drain()
    assert view.tobytes() == b"12345678"
    abandoned = tenure.ledger.counts().abandoned
    del view
    with pytest.warns(tenure.errors.AbandonedHandle):
        tenure.drain()
    assert tenure.ledger.counts().abandoned == abandoned + 1


def test_close_is_refused_under_a_view_where_so_configured(buffer: tenure.Buffer) -> None:
    view = buffer.view()
    before = tenure.configure(close="refuse")
    try:
        with pytest.raises(LeasedHandle):
            buffer.close()
    finally:
        tenure.configure(**before._asdict())
    assert view.tobytes() == bytes(100)
    view.release()


def test_close_can_wait_for_the_last_view(buffer: tenure.Buffer) -> None:
    view = buffer.view()
    closer = threading.Thread(target=buffer.close, kwargs={"wait": True})
    closer.start()
    while buffer.state is not State.CLOSING:
        pass
    assert view.tobytes() == bytes(100)
    view.release()
    closer.join()
    assert state_of(buffer) is State.CLOSED


@needs_protocol
def test_the_buffer_itself_goes_where_bytes_go(buffer: tenure.Buffer) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"key")
    assert os.readv(reader, [buffer]) == 3
    view = memoryview(buffer)
    assert view[:4].tobytes() == b"key\0"
    assert state_of(buffer) is State.LEASED
    buffer.close()
    assert view[0] == ord("k")
    view.release()
    tenure.drain()
    assert state_of(buffer) is State.CLOSED
    os.close(reader)
    os.close(writer)


@needs_protocol
def test_a_closed_buffer_exports_nothing(buffer: tenure.Buffer) -> None:
    buffer.close()
    with pytest.raises(ClosedHandle):
        memoryview(buffer)


def test_it_is_neither_copied_nor_pickled(buffer: tenure.Buffer) -> None:
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            attempt(buffer)


def test_threads_that_see_slice_and_close_buffers_never_see_memory_of_others() -> None:
    opened = [tenure.Buffer(8) for _ in range(4)]
    wrong: list[bytes] = []

    def live(number: int) -> None:
        for turn in range(300):
            buffer = opened[-1 - (turn * 7 + number) % 4]
            if turn % 5 == number % 5:
                opened.append(tenure.Buffer(8))
                buffer.close()
                continue
            try:
                with buffer.lease() as view, view[number : number + 1] as mine:  # each has a byte of its own
                    if mine.tobytes() not in {b"\0", bytes([number + 1])}:
                        wrong.append(mine.tobytes())
                    mine[0] = number + 1
            except ClosedHandle:
                pass

    threads = [threading.Thread(target=live, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for buffer in opened:
        buffer.close()
    assert wrong == []


@pytest.mark.parametrize("kind", [tenure.Buffer, tenure.SecretBuffer])
@pytest.mark.parametrize("size", [0, -1])
def test_a_size_below_one_is_refused(kind: type[tenure.Buffer], size: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 byte, not {size}"):
        kind(size)


def test_no_memory_is_a_memory_error() -> None:
    with pytest.raises(MemoryError, match="no memory for a buffer of 4611686018427387904 bytes"):
        tenure.Buffer(1 << 62)


def test_a_buffer_owns_memory_that_a_library_handed_out() -> None:
    libc = ctypes.CDLL(None)
    strdup = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(("strdup", libc))
    free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(("free", libc))
    with tenure.Buffer.own(strdup(b"hello"), size=5, release=free) as buffer, buffer.lease() as view:
        assert view.tobytes() == b"hello"
    with pytest.raises(ValueError, match="at least 1 byte"):
        tenure.Buffer.own(1, release=free)


def test_a_view_of_a_part_keeps_the_whole_alive() -> None:
    freed: list[int] = []
    whole: tenure.Handle[int] = tenure.own(4096, release=freed.append, kind="whole")
    storage = ctypes.create_string_buffer(b"part", 4)
    part = tenure.Buffer.own(ctypes.addressof(storage), size=4, release=lambda _: freed.append(4), parent=whole)
    view = part.view()
    whole.close()
    assert freed == []
    assert view.tobytes() == b"part"
    view.release()
    tenure.drain()
    assert freed == [4, 4096]


@pytest.mark.parametrize("size", [1, 32, 64, 65, 512, 4096, 4097, 70_000])
def test_every_byte_of_a_secret_can_be_used(size: int) -> None:
    with tenure.SecretBuffer(size) as secret, secret.lease() as view:
        assert not any(view)
        view[:] = b"\xff" * size


def test_a_secret_is_wiped_before_its_slot_serves_again() -> None:
    with tenure.SecretBuffer(64) as secret, secret.lease() as view:
        view[:] = b"k" * 64
    seen = []
    for _ in range(300):  # more than a slab has slots
        with tenure.SecretBuffer(64) as again, again.lease() as view:
            seen.append(view.tobytes())
    assert set(seen) == {bytes(64)}


def test_a_secret_does_not_show_itself() -> None:
    with tenure.SecretBuffer(8) as secret, secret.lease() as view:
        view[:] = b"password"
        told = f"{secret!r} {secret} {view!r} {secret.lease()!r} {tenure.ledger.snapshot()[-1]}"
        assert "password" not in told
        with pytest.raises(TypeError, match="does not become bytes"):
            bytes(secret)


def test_a_secret_cannot_be_detached_and_owns_no_foreign_memory() -> None:
    with tenure.SecretBuffer(8) as secret:
        with pytest.raises(TypeError, match="nobody would wipe it"):
            secret.detach()
        with pytest.raises(TypeError, match="memory of its own"):
            tenure.SecretBuffer.own(4096, release=print, size=8)


def test_a_dropped_secret_is_reported_and_released() -> None:
    with pytest.warns(tenure.errors.AbandonedHandle, match=r"SecretBuffer handle 0x\w+ was never closed"):
        drop_a_secret()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_neither_owns_nor_sees_a_secret() -> None:
    with tenure.SecretBuffer(16) as secret, secret.lease() as view:
        view[:] = b"0123456789abcdef"
        child = os.fork()
        if child == 0:
            told = 0
            try:
                told |= any(view)  # the pages were wiped
                secret.lease()
                told |= 2
            except tenure.errors.DisownedHandle:
                with tenure.SecretBuffer(16) as own, own.lease() as mine:
                    mine[:] = b"0123456789abcdef"
                    told |= 0 if own.locked == secret.locked and not any(view) else 4
            finally:
                os._exit(told)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert view.tobytes() == b"0123456789abcdef"


@pytest.mark.skipif(bool(os.environ.get("TENURE_IMPL")), reason="TENURE_IMPL asks for one implementation")
def test_all_this_holds_with_the_other_implementation_too() -> None:
    other = {"native": "pure", "pure": "native"}[tenure.implementation]
    if other == "native":
        pytest.skip(f"tenure._native is not built here: {_impl.why_not_native}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", __file__]
    environment = {**os.environ, "TENURE_IMPL": other}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
