"""Every number of the books is a metric with a sentence, in the format that Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tenure.pipeline.books import Books
from tenure.pipeline.eyes.metrics import METRICS, exposition


def test_every_number_of_the_books_is_described() -> None:
    assert set(Books().snapshot()) <= set(METRICS)


def test_waits_are_a_histogram() -> None:
    books = Books()
    for seconds in (0.0000005, 0.000003, 0.000003, 1000.0):
        books.waited(seconds)
    text = exposition(dict, books.waits).decode()
    (family,) = text_string_to_metric_families(text)
    found = {sample.labels["le"]: sample.value for sample in family.samples}
    assert (found["1e-06"], found["2e-06"], found["4e-06"], found["+Inf"]) == (1, 1, 3, 4)
    assert (books.wait(0.5), books.wait(0.75), Books().wait(0.5)) == (0.004, 0.004, 0.0)


def test_what_is_exposed_can_be_read_back() -> None:
    numbers = {"received": 7, "rss_bytes": 4096}
    families = {family.name: family for family in text_string_to_metric_families(exposition(lambda: numbers).decode())}
    assert families["tenure_received"].type == "counter"
    assert families["tenure_received"].documentation == "events received"
    assert [(sample.name, sample.value) for sample in families["tenure_rss_bytes"].samples] == [
        ("tenure_rss_bytes", 4096)
    ]
