"""A secret's release wipes its bytes, all of them and no others, before anybody gets the address."""

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable
from typing import Any

import pytest

HOMES = {"pure": "tenure._impl.pure.wiper", "native": "tenure._native"}


@pytest.fixture(params=list(HOMES))
def wiper(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Each implementation of it."""
    try:
        return importlib.import_module(HOMES[request.param]).wiper  # type: ignore[no-any-return]
    except ImportError as error:
        pytest.skip(f"tenure._native is not built here: {error}")


def test_the_bytes_are_zeros_when_the_address_is_given_back(wiper: Callable[..., Any]) -> None:
    memory = ctypes.create_string_buffer(b"x" * 8)
    given: list[tuple[int, bytes]] = []
    wiper(5, lambda address: given.append((address, memory.raw)))(ctypes.addressof(memory))
    assert given == [(ctypes.addressof(memory), b"\0\0\0\0\0xxx\0")]


def test_what_taking_it_back_raises_passes_through(wiper: Callable[..., Any]) -> None:
    memory = ctypes.create_string_buffer(b"x" * 8)
    with pytest.raises(ZeroDivisionError):
        wiper(8, lambda address: 1 // 0)(ctypes.addressof(memory))
    assert memory.raw == bytes(9)


@pytest.mark.parametrize("wrong", ["0x10", None])
def test_what_is_no_address_is_refused(wiper: Callable[..., Any], wrong: object) -> None:
    with pytest.raises((TypeError, ctypes.ArgumentError)):
        wiper(8, print)(wrong)
