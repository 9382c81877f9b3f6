"""A file is replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tenure.check.replacing import replace


@pytest.fixture
def file(tmp_path: Path) -> Path:
    kept = tmp_path / "a.py"
    kept.write_bytes(b"before")
    kept.chmod(0o750)
    return kept


def test_rights_stay_and_nothing_lies_beside_it(file: Path) -> None:
    replace(file, b"after")
    assert file.read_bytes() == b"after"
    assert stat.S_IMODE(file.stat().st_mode) == 0o750
    assert list(file.parent.iterdir()) == [file]


def test_a_link_still_leads_to_the_file(file: Path) -> None:
    link = file.with_name("link.py")
    link.symlink_to(file.name)
    replace(link, b"after")
    assert link.is_symlink()
    assert file.read_bytes() == b"after"


def test_a_new_file_has_the_rights_of_any_new_file(file: Path) -> None:
    other, new = file.with_name("other"), file.with_name("new")
    other.write_bytes(b"")
    replace(new, b"after")
    assert new.stat().st_mode == other.stat().st_mode


def test_a_full_disk_leaves_the_file_as_it_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        replace(file, b"after")
    assert file.read_bytes() == b"before"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_may_not_be_written_is_not_replaced(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError):
        replace(file, b"after")
    assert file.read_bytes() == b"before"
