"""Every number of the books is a metric with a sentence, in the format that Prometheus reads."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tenure.pipeline.books import Books
from tenure.pipeline.eyes.metrics import METRICS, exposition


def test_every_number_of_the_books_is_described() -> None:
    assert set(Books().snapshot()) <= set(METRICS)


def test_what_is_exposed_can_be_read_back() -> None:
    numbers = {"received": 7, "rss_bytes": 4096}
    families = {family.name: family for family in text_string_to_metric_families(exposition(lambda: numbers).decode())}
    assert families["tenure_received"].type == "counter"
    assert families["tenure_received"].documentation == "events received"
    assert [(sample.name, sample.value) for sample in families["tenure_rss_bytes"].samples] == [
        ("tenure_rss_bytes", 4096)
    ]
