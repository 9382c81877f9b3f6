"""The audit: it is green when everything adds up, and says what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tenure.pipeline.feed import Fed
from tenure.pipeline.proof import Line, audit, last_books

EVENT = {"tenant": "t", "v": "1", "secret": "s"}


@pytest.fixture
def ran(start: Any) -> tuple[Path, dict[str, Any]]:
    """A pipeline that took three events and stopped."""
    server = start()
    with server.client() as client:
        for _ in range(3):
            client.xadd("ev", EVENT)
    assert server.stop() == 0
    return server.directory, server.books()


def test_what_adds_up_is_balanced_and_what_does_not_is_named(ran: tuple[Path, dict[str, Any]]) -> None:
    directory, books = ran
    assert last_books(directory) == books
    assert all(line.balanced for line in audit(directory, Fed(sent=3, acknowledged=3), books))
    wrong = {
        "events acknowledged": (Fed(sent=4, acknowledged=3), books),
        "events sealed": (Fed(sent=3, acknowledged=3), books | {"sealed": 2}),
        "events stored": (Fed(sent=3, acknowledged=3), books | {"stored": 2}),
        "events in windows + late": (Fed(sent=3, acknowledged=3), books | {"late": 1}),
        "keys opened = closed": (Fed(sent=3, acknowledged=3), books | {"keys_closed": 0}),
        "handles opened = closed": (Fed(sent=3, acknowledged=3), books | {"handles_closed": 0}),
        "leaked": (Fed(sent=3, acknowledged=3), books | {"handles_abandoned": 1}),
    }
    for name, (fed, said) in wrong.items():
        assert [line.what for line in audit(directory, fed, said) if not line.balanced] == [name]


def test_an_event_that_is_not_on_the_disk_is_missed(ran: tuple[Path, dict[str, Any]]) -> None:
    directory, books = ran
    (segment,) = directory.glob("*.seg")
    segment.write_bytes(segment.read_bytes()[:-20])
    found = [line.what for line in audit(directory, Fed(sent=3, acknowledged=3), books) if not line.balanced]
    assert found == ["events on the disk", "damaged frames"]


def test_the_wait_is_that_of_a_share_of_the_batches() -> None:
    fed = Fed(waits=[0.4, 0.1, 0.2, 0.3])
    assert (fed.wait(0.5), fed.wait(0.99), Fed().wait(0.5)) == (0.3, 0.4, 0.0)


def test_a_line_is_balanced_when_its_numbers_are_the_same() -> None:
    assert Line("x", 1, 1).balanced
    assert not Line("x", 1, 2).balanced
