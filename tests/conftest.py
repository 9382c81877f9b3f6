"""What every test is held to: the same examples each time. That it leaves nothing open, tenure's own plugin sees to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

import tenure

settings.register_profile("tenure", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("tenure")


@pytest.fixture
def leaks_are_reported() -> Iterator[None]:
    """For tests that are about leaks: theirs are reported as a program's are, and do not fail them."""
    before = tenure.configure(leak="report")
    yield
    tenure.configure(leak=before.leak)
