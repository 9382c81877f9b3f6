"""What is promised of a handle's cost is compared with what was measured, each implementation by its own bar."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.bench_handle import PROMISES, as_markdown, compiled, rows_of


@pytest.fixture
def found() -> dict[str, Any]:
    """Everything of ours costs 40 ns and 200 bytes, everything of the peers' 100 ns and 400 bytes."""
    return {
        "times": {
            "tenure": {name: 40.0 for name, *_ in PROMISES},
            "peers": {peer: 100.0 for _, peer, *_ in PROMISES},
        },
        "bytes": {"ours": 200.0, "peer": 400.0},
        "million": {"open_ns_when_empty": 1.0, "open_ns_with_a_million": 1.0, "snapshot_seconds": 0.5},
    }


def test_a_ratio_is_ours_by_the_peers(found: dict[str, Any]) -> None:
    assert [row.ratio for row in rows_of("native", found)] == [0.4, 0.4, 0.4, 0.4, 0.5]


def test_a_missed_promise_is_said(found: dict[str, Any]) -> None:
    rows = rows_of("native", found)
    lines = as_markdown({"native": found}, rows).splitlines()
    assert [row.name for row in rows if row.ratio > row.promised] == ["create + close"]
    assert [line for line in lines if "**missed**" in line] == [
        "| create + close | native | 40 | weakref.finalize, called by close() | 100 | 0.40 | ≤ 0.33 **missed** |"
    ]


def test_pure_has_a_bar_of_its_own(found: dict[str, Any]) -> None:
    assert all(row.ratio <= row.promised == 1.0 for row in rows_of("pure", found))


def test_a_case_is_run_as_often_as_asked() -> None:
    seen: list[int] = []
    assert compiled("see(i)", "see(-1)", {"see": seen.append})(3) >= 0
    assert seen == [0, 1, 2, -1]
