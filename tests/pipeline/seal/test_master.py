"""The master key's file: made so that nobody else can read it, refused when somebody could."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tenure.pipeline.seal.master import MasterKeyError, make_master_key, read_master_key


def test_a_new_key_is_random_and_for_its_owner_only(here: Path) -> None:
    make_master_key(here / "a")
    make_master_key(here / "b")
    assert stat.S_IMODE((here / "a").stat().st_mode) == 0o600
    assert len((here / "a").read_bytes()) == 32
    assert (here / "a").read_bytes() != (here / "b").read_bytes()


def test_a_key_is_read_as_it_was_made(here: Path) -> None:
    make_master_key(here / "a")
    with read_master_key(here / "a") as secret, secret.lease() as view:
        assert view == (here / "a").read_bytes()


def test_a_key_is_never_overwritten(here: Path) -> None:
    make_master_key(here / "a")
    with pytest.raises(MasterKeyError, match="exists already"):
        make_master_key(here / "a")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(here: Path, mode: int) -> None:
    make_master_key(here / "a")
    (here / "a").chmod(mode)
    with pytest.raises(MasterKeyError, match=rf"has mode {mode:04o}: others can read it\. Say: chmod 600"):
        read_master_key(here / "a")


def test_a_file_of_another_size_is_no_key(here: Path) -> None:
    (here / "a").write_bytes(b"short")
    (here / "a").chmod(0o600)
    with pytest.raises(MasterKeyError, match="has 5 bytes, a master key has 32"):
        read_master_key(here / "a")


def test_a_missing_key_says_how_to_make_one(here: Path) -> None:
    with pytest.raises(MasterKeyError, match="tenure pipeline init"):
        read_master_key(here / "a")


def test_a_pipe_in_its_place_is_refused_and_not_waited_for(here: Path) -> None:
    os.mkfifo(here / "a", 0o600)
    with pytest.raises(MasterKeyError, match="is no file, so no master key is in it"):
        read_master_key(here / "a")
