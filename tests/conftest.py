"""What every test is held to: the same examples each time, and nothing left open behind it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("tenure", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("tenure")


@pytest.fixture(autouse=True)
def nothing_left_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that leaves a handle open fails, itself, with the line that opened it."""
    yield
    ledger = sys.modules.get("tenure.runtime.ledger")
    if ledger is None or request.node.get_closest_marker("leaves_open"):
        return
    if ledger.counts().open:
        gc.collect()
        ledger.assert_empty()
