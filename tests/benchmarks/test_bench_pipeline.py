"""What the pipeline's benchmark and soak make of their measurements."""

from __future__ import annotations

from typing import Any

from benchmarks.bench_pipeline import KINDS, Measured, Shape, row, table
from benchmarks.soak_pipeline import drifts, rise, spread


def test_a_row_is_the_median_of_its_rounds() -> None:
    runs = [Measured(1.0, 3.0, 1.0, 9.0), Measured(2.0, 1.0, 2.0, 8.0), Measured(9.0, 2.0, 3.0, 7.0)]
    found = row(KINDS[0], Shape(16, 1, 100), runs)
    assert (found["rps"], found["server_cpu_us"], found["p50_ms"], found["p99_ms"]) == (2, 2.0, 2.0, 8.0)


def test_the_table_compares_with_redis_that_syncs_as_often() -> None:
    rows: list[dict[str, Any]] = [
        row(kind, Shape(16, 1, 100), [Measured(1.0, cpu, 1.0, 1.0)])
        for kind, cpu in zip(KINDS, (3.0, 2.0, 1.0), strict=True)
    ]
    ratios = [line.split("|")[5].strip() for line in table(rows).splitlines()[2:]]
    assert ratios == ["1.50", "1.00", "0.50"]


def test_what_swings_and_does_not_grow_has_a_spread_and_no_rise() -> None:
    swing = [100.0, 101.0, 99.0, 101.0, 100.0]
    assert round(spread(swing), 6) == 0.01
    assert abs(rise(swing)) < 0.005


def test_what_grows_rises_by_its_share_of_the_median() -> None:
    growing = [100.0 + number for number in range(21)]
    assert round(rise(growing), 4) == round(20 / 110, 4)
    assert round(rise(growing[::-1]), 4) == -round(20 / 110, 4)


def test_every_watched_number_is_judged_by_both_and_a_busy_round_by_its_rise() -> None:
    samples = [
        {"rss_bytes": 200.0, "locked_bytes": 16.0, "descriptors": 17.0, "busy_rss_bytes": 220.0 + number}
        for number in range(20)
    ]
    found = drifts(samples)
    assert {name for name, drift in found.items() if drift} == {"busy_rss_bytes rise"}
    assert len(found) == 7
