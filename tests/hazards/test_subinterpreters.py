"""A sub-interpreter that ends has released what it owned, as far as this interpreter runs one at all."""

from __future__ import annotations

import sys

import pytest
from tests.hazards.conftest import Run, only_once

pytestmark = pytest.mark.skipif(
    sys.version_info >= (3, 12),
    reason="from 3.12 on the sub-interpreters that ctypes can be imported in need other calls",
)


@pytest.mark.parametrize("how", ["kept", "dropped"])
def test_what_it_owned_is_released_when_it_ends(how: str, run: Run) -> None:
    outcome = run("subinterpreter", "ends", "protected", "{path}", how)
    assert outcome.status == 0, outcome.told
    assert "opened 1\nlive 0" in outcome.out, outcome.told


@only_once
@pytest.mark.parametrize("how", ["kept", "dropped"])
def test_without_a_ledger_it_leaks(how: str, run: Run) -> None:
    outcome = run("subinterpreter", "ends", "bare", "{path}", how)
    assert "opened 1\nlive 1" in outcome.out, outcome.told
