"""The benchmark measures what it says."""

from __future__ import annotations

from benchmarks.bench_explore import Counters, Row, Sorted, as_markdown, searched


def test_every_way_visits_the_counters_it_should() -> None:
    assert searched(lambda: Counters(3, 4))() == (5**3, 3 * 4 * 5**2)
    assert searched(lambda: Counters(3, 4), reduce=True)() == (3 * 4 + 1, 3 * 4)
    assert searched(lambda: Sorted(3, 4), symmetry=True)()[0] == 35


def test_the_faster_peer_is_the_one_compared_with() -> None:
    rows = [Row("c", "tenure", 100, 300, 1.0), Row("c", "slow", 100, 0, 4.0), Row("c", "fast", 100, 0, 2.0)]
    shown = as_markdown(rows, 1)
    assert "| c | tenure | 100 | 300 | 1.000 | 100 | 300 |\n| c | slow | 100 |  | 4.000 | 25 |  |" in shown
    assert shown.endswith("On the counters: 2.0× the faster peer (fast).")
