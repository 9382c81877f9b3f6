"""Under AddressSanitizer (``make sanitize``): every way a resource can live leaves no memory behind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import gc, itertools, threading
import tenure

tenure.configure(leak="off")
numbers = itertools.count(1)

class Wrapper(tenure.Handle):
    pass

def lives():
    for _ in range(300):
        parent = tenure.own(next(numbers), release=int)
        child = tenure.own(next(numbers), release=int, parent=parent, kind="child")
        with child.lease():
            parent.close()
        try:
            parent.lease()
        except tenure.errors.ClosedHandle:
            repr(parent)
        tenure.own(next(numbers), release=int)
        tenure.open(object, release=id).detach()
        buffer = tenure.Buffer(100)
        view = buffer.view()
        buffer.close()
        del view
        with tenure.SecretBuffer(10):
            pass
        try:
            tenure.open(lambda: None, release=int)
        except tenure.errors.NoToken:
            pass
        cycle = Wrapper.own(next(numbers), release=int)
        cycle.itself = cycle
        Wrapper.own(next(numbers), release=int, via=lambda job: job())
    for entry in tenure.ledger.snapshot():
        entry.which

lives()
thread = threading.Thread(target=lives)
thread.start()
thread.join()
for _ in range(2):
    gc.collect()
    tenure.drain()
assert not tenure.ledger.snapshot()
"""

pytestmark = pytest.mark.skipif(
    "libasan" not in os.environ.get("LD_PRELOAD", ""), reason="only under AddressSanitizer: make sanitize"
)


def leaks_of(program: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:exitcode=23"}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)


def test_no_memory_is_lost_whatever_a_handle_goes_through() -> None:
    done = leaks_of(PROGRAM)
    assert done.returncode == 0, done.stderr


def test_memory_that_is_lost_would_be_found() -> None:
    done = leaks_of(PROGRAM + "import ctypes\nctypes.CDLL(None).malloc(12345)\n")
    assert "leak of 12345 byte(s)" in done.stderr
    assert done.returncode == 23
