"""The benchmark measures what it says."""

from __future__ import annotations

from benchmarks.bench_explore import Counters, Row, Sorted, as_markdown, searched


def test_every_way_visits_the_counters_it_should() -> None:
    assert searched(Counters(3, 4))() == 5**3
    assert searched(Counters(3, 4), reduce=True)() == 3 * 4 + 1
    assert searched(Sorted(3, 4), symmetry=True)() == 35


def test_the_faster_peer_is_the_one_compared_with() -> None:
    rows = [Row("c", "tenure", 100, 1.0), Row("c", "slow", 100, 4.0), Row("c", "fast", 100, 2.0)]
    assert as_markdown(rows, 1).endswith("On the counters: 2.0× the faster peer (fast).")
