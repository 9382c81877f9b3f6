"""The doors: nothing is opened to others without protection, unless somebody says so."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from tenure.pipeline.doors import Doors, protected
from tenure.pipeline.settings import Front, SettingsError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_this_machine_needs_no_protection(host: str) -> None:
    protected(Front(host=host))


@pytest.mark.parametrize(
    ("front", "missing"),
    [
        (Front(host="0.0.0.0"), "password_file and tls_certificate not set"),
        (Front(host="0.0.0.0", password_file="p"), "tls_certificate not set"),
        (Front(host="example.org", tls_certificate="c", tls_key="k"), "password_file not set"),
    ],
)
def test_another_address_is_refused_without_both(front: Front, missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        protected(front)


def test_it_is_allowed_with_both_or_in_so_many_words() -> None:
    protected(Front(host="0.0.0.0", password_file="p", tls_certificate="c", tls_key="k"))
    protected(Front(host="0.0.0.0", expose_without_protection=True))


def test_a_socket_somebody_listens_on_is_not_taken_away(here: Path) -> None:
    with socket.socket(socket.AF_UNIX) as living:
        living.bind(str(here / "door"))
        living.listen()
        with pytest.raises(SettingsError, match="is there already and in use"):
            asyncio.run(Doors(Front(tcp=False, unix=str(here / "door"))).open(asyncio.Protocol))


def test_a_path_too_long_for_a_socket_is_named_with_the_reason(here: Path) -> None:
    front = Front(tcp=False, unix=str(here / ("x" * 200)))
    with pytest.raises(SettingsError, match="path too long"):
        asyncio.run(Doors(front).open(asyncio.Protocol))


def test_a_socket_nobody_listens_on_any_more_is_replaced(here: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(here / "door"))

    async def open_and_close() -> list[str]:
        doors = Doors(Front(tcp=False, unix=str(here / "door")))
        where = await doors.open(asyncio.Protocol)
        doors.close()
        return where

    assert asyncio.run(open_and_close()) == [str(here / "door")]
    assert not (here / "door").exists()


def test_a_certificate_that_cannot_be_read_is_named(here: Path) -> None:
    front = Front(port=0, tls_certificate=str(here / "c"), tls_key=str(here / "k"))
    with pytest.raises(SettingsError, match="tls_certificate"):
        asyncio.run(Doors(front).open(asyncio.Protocol))
