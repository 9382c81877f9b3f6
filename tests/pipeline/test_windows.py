"""Windows against a model so simple that it cannot be wrong, however the events are cut into batches."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.pipeline.windows import Result, Windows

Event = tuple[str, str, int, float | None, int]


def batch(events: list[Event]) -> pa.RecordBatch:
    streams, tenants, times, values, _ = zip(*events, strict=True)
    columns = {
        "stream": pa.array(streams, pa.utf8()),
        "tenant": pa.array(tenants, pa.utf8()),
        "time": pa.array(times, pa.timestamp("ms")),
        "v": pa.array(values, pa.float64()),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def fed(events: list[Event], cuts: list[int], lateness: int = 5) -> tuple[Windows, list[Result]]:
    windows = Windows(width=10, lateness=lateness, fields=("v",))
    results: list[Result] = []
    borders = [0, *sorted({min(cut, len(events)) for cut in cuts}), len(events)]
    for low, high in pairwise(borders):
        if low < high:
            piece = events[low:high]
            windows.add(batch(piece), np.asarray([event[4] for event in piece], dtype=np.int64))
            results += windows.results(windows.close())
    return windows, [*results, *windows.results(windows.still_open())]


def expected(events: list[Event], lateness: int = 5) -> tuple[int, dict[tuple[str, str, int], list[Event]]]:
    high: dict[str, int] = defaultdict(lambda: -1)
    late, kept = 0, defaultdict(list)
    for event in events:
        stream, tenant, time, _, _ = event
        high[stream] = max(high[stream], time)
        if time // 10 * 10 + 10 <= high[stream] - lateness:
            late += 1
        else:
            kept[stream, tenant, time // 10 * 10].append(event)
    return late, kept


events = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["x", "y"]),
        st.integers(0, 60),
        st.one_of(st.none(), st.integers(-5, 5).map(float)),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=40,
)


@given(events, st.lists(st.integers(0, 40), max_size=4))
def test_windows_hold_what_the_model_says_however_the_events_are_cut(events: list[Event], cuts: list[int]) -> None:
    windows, results = fed(events, cuts)
    late, kept = expected(events)
    assert windows.late == late
    assert {(r.stream, r.tenant, r.start): r.events for r in results} == {key: len(of) for key, of in kept.items()}
    for result in results:
        inside = kept[result.stream, result.tenant, result.start]
        values = [value for _, _, _, value, _ in inside if value is not None]
        assert (result.valued, result.sum, result.min, result.max) == (
            len(values),
            sum(values) if values else None,
            min(values, default=None),
            max(values, default=None),
        )
        assert round(result.distinct) == len({mark for *_, mark in inside if mark})


def test_a_closed_window_is_evicted() -> None:
    windows, _ = fed([("a", "x", 1, 1.0, 0), ("a", "x", 40, 1.0, 0)], [1, 2])
    assert windows.open == 1


def test_quantiles_are_near_the_truth() -> None:
    windows = Windows(width=10, lateness=0, fields=("v",))
    windows.add(batch([("a", "x", 1, float(i), 0) for i in range(10_000)]), np.zeros(10_000, dtype=np.int64))
    (result,) = windows.results(windows.still_open())
    assert result.p50 == pytest.approx(5000, abs=165)
    assert result.p99 == pytest.approx(9900, abs=165)


def test_without_values_a_window_still_counts_its_events() -> None:
    windows = Windows(width=10, lateness=0, fields=())
    windows.add(batch([("a", "x", 1, None, 7)]), np.asarray([7]))
    (result,) = windows.results(windows.still_open())
    assert (result.field, result.events, result.valued, result.mean) == ("", 1, 0, None)


def test_folding_goes_in_small_steps_and_ends_where_adding_does() -> None:
    events: list[Event] = [("a", f"t{number % 300}", 1, float(number), number + 1) for number in range(5000)]
    marks = np.arange(1, 5001)
    stepped, whole = (Windows(width=10, lateness=0, fields=("v",)) for _ in range(2))
    steps = list(stepped.folding(batch(events), marks))
    whole.add(batch(events), marks)
    assert len(steps) >= 5000 // 1024
    assert [result[:10] for result in stepped.results(stepped.still_open())] == [
        result[:10] for result in whole.results(whole.still_open())
    ]


def test_there_are_no_more_windows_open_than_there_may_be() -> None:
    windows = Windows(width=10, lateness=0, fields=("v",), most=2)

    def add(*events: tuple[str, int]) -> None:
        marks = np.zeros(len(events), dtype=np.int64)
        windows.add(batch([("a", tenant, time, 1.0, 0) for tenant, time in events]), marks)

    add(("x", 1), ("y", 1), ("z", 1), ("z", 2), ("y", 3))
    assert (windows.open, windows.windowless) == (2, 2)
    add(("x", 11))
    assert (windows.open, windows.windowless) == (2, 3)
    assert [(found.tenant, found.window.events) for found in windows.close()] == [("x", 1), ("y", 2)]
    add(("z", 12))
    assert (windows.open, windows.windowless) == (1, 3)
    assert [(found.tenant, found.start) for found in windows.still_open()] == [("z", 10)]
