"""What the pipeline's benchmark and soak make of their measurements."""

from __future__ import annotations

from typing import Any

from benchmarks.bench_pipeline import KINDS, Measured, Shape, row, table
from benchmarks.soak_pipeline import drifts


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


def test_a_drift_is_from_warm_to_last_and_noise_is_none() -> None:
    noise = [100.0, 102.0, 98.0, 101.0, 99.0]
    samples = [
        {"rss_bytes": value, "locked_bytes": 16.0, "descriptors": 9.0 + late}
        for late, quarter in enumerate((noise, noise, noise, noise))
        for value in quarter
    ]
    found = drifts(samples)
    assert found["rss_bytes"] == found["locked_bytes"] == 0
    assert round(found["descriptors"], 2) == 0.2
