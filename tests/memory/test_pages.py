"""Pages for secrets carry the kernel's flags, stand between guards, and say why they could not be locked."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import signal
from pathlib import Path

import pytest

from tenure.errors import LockRefused
from tenure.memory import pages
from tenure.memory.pages import Pages


def flags_at(address: int) -> set[str]:
    """What the kernel says of the mapping that begins at ``address``."""
    told = Path("/proc/self/smaps").read_text("ascii")
    found = re.search(rf"^0*{address:x}-.*?^VmFlags: ([^\n]*)", told, re.MULTILINE | re.DOTALL)
    assert found, f"no mapping begins at {address:#x}"
    return set(found[1].split())


@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="under AddressSanitizer mlock does nothing")
def test_the_kernel_locks_them_and_leaves_them_out_of_dumps_and_children() -> None:
    mine = Pages(100, lock=True)
    assert {"lo", "dd", "wf", "rd", "wr"} <= flags_at(mine.address)


def test_unlocked_pages_have_every_other_protection() -> None:
    mine = Pages(100, lock=False)
    flags = flags_at(mine.address)
    assert "lo" not in flags
    assert {"dd", "wf"} <= flags


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("where", [-1, 4096], ids=["before", "after"])
def test_a_touch_beside_them_ends_the_process(where: int) -> None:
    mine = Pages(4096, lock=False)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGSEGV, signal.SIG_DFL)
        ctypes.string_at(mine.address + where, 1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGSEGV


def test_a_refusal_names_the_error_and_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: int, size: int) -> int:
        ctypes.set_errno(errno.ENOMEM)
        return -1

    monkeypatch.setattr(pages, "_mlock", refuse)
    with pytest.raises(LockRefused, match=r"4096 bytes .*: mlock says ENOMEM \(Cannot allocate memory\), and RLIMIT_"):
        Pages(100, lock=True)
