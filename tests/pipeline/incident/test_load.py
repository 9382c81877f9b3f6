"""The load tells how far it is, and where it ended, however quick its handlers are."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from tenure.pipeline.incident import load
from tenure.pipeline.incident.memory import MEMORIES
from tenure.pipeline.incident.remedies import REMEDIES


class AtOnce(threading.Thread):
    """A thread that has ended before anybody can look."""

    def start(self) -> None:
        self.run()

    def is_alive(self) -> bool:
        return False


def test_a_load_that_is_served_at_once_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "threading", SimpleNamespace(Thread=AtOnce))
    heard: list[int] = []
    served = load.Load(REMEDIES["tenure"][1], MEMORIES["plain"](), 40)
    served.run(lambda tally: heard.append(tally.requests))
    served.finish()
    assert heard == [40]
