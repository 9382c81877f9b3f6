"""The pytest plugin: a test that leaks fails, itself and not its neighbour, with the line that opened the leak.

pytest finds it wherever tenure is installed; there is nothing to configure, and ``-p no:tenure`` leaves it out. What a
test opens has to be closed when its fixtures are torn down; what a fixture of wider scope opens, when that fixture is.
A handle that was dropped instead of closed is a leak too. A test that failed already is not held to it, since its
traceback holds what it had opened.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

import tenure

if TYPE_CHECKING:
    from _pytest.fixtures import FixtureDef, SubRequest

__all__ = ["LeakCheck", "pytest_configure"]

MARKER = "leaves_open: the test leaves handles open, or drops them, on purpose"
ADVICE = (
    "Close what a test opens in the test, or in the fixture that opened it; what is meant to live longer belongs in a\n"
    "fixture of wider scope. A test that leaks on purpose is marked: @pytest.mark.leaves_open."
)


def pytest_configure(config: pytest.Config) -> None:
    """Have every test held to closing what it opens."""
    config.addinivalue_line("markers", MARKER)
    config.pluginmanager.register(LeakCheck(), "tenure-leak-check")


class LeakCheck:
    """What was open before the test that runs, and what fixtures of wider scope keep open meanwhile."""

    def __init__(self) -> None:
        self._before: Sequence[tenure.Entry] = ()
        self._policy = tenure.settings().leak
        self._failed = False
        self._kept: dict[FixtureDef[Any], list[tenure.Entry]] = {}
        self._left: list[tuple[str, list[tenure.Entry]]] = []  #: by fixtures that have been torn down

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None]:
        self._failed = False
        self._policy = tenure.settings().leak
        if self._policy == "report" and not _may_leak(item):
            tenure.configure(leak="raise")  # from the next drain(), which is ours unless the test has one of its own
        self._before = tenure.ledger.snapshot()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._failed = self._failed or report.failed
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        try:
            yield
            found = self._found()
        finally:
            tenure.configure(leak=self._policy)
        if found and not self._failed and not _may_leak(item):
            pytest.fail("\n".join([*found, ADVICE]), pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: FixtureDef[Any], request: SubRequest) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        before = tenure.ledger.snapshot()
        try:
            return (yield)
        finally:
            self._kept[fixturedef] = tenure.ledger.diff(before, tenure.ledger.snapshot()).opened

    def pytest_fixture_post_finalizer(self, fixturedef: FixtureDef[Any], request: SubRequest) -> None:
        kept = self._kept.pop(fixturedef, [])
        if kept:
            self._left.append((f"fixture {fixturedef.argname} ({fixturedef.scope} scope)", kept))

    def _found(self) -> list[str]:
        """A line for each leak; empties what the safety net has to raise, whoever it is about."""
        if self._open():
            gc.collect()  # what is left in a cycle is dropped, not held
        dropped = [str(leak) for leak in _abandoned() if not self._is_older(leak)]
        held = [
            f"{line.open} × {line.kind}, opened at {line.site}, still open after {who}"
            for who, entries in self._open()
            for line in tenure.ledger.by_site(entries)
        ]
        self._left.clear()
        return dropped + held

    def _open(self) -> list[tuple[str, list[tenure.Entry]]]:
        """Who left what open."""
        now = tenure.ledger.snapshot()
        kept = [entry for entries in self._kept.values() for entry in entries]
        of_fixtures = [entry for _, entries in self._left for entry in entries]
        own = tenure.ledger.diff([*self._before, *kept, *of_fixtures], now).opened
        left = [("the test", own), *((who, _still(entries, now)) for who, entries in self._left)]
        return [(who, entries) for who, entries in left if entries]

    def _is_older(self, leak: tenure.errors.AbandonedHandle) -> bool:
        """Whether it was open before the test, and no fixture's that ended with it: then the test is not to blame."""
        ended = [entry for _, entries in self._left for entry in entries]
        older = tenure.ledger.diff(self._before, ended).closed
        return any((entry.which, entry.site) == (leak.which, leak.opened) for entry in older)


def _may_leak(item: pytest.Item) -> bool:
    return item.get_closest_marker("leaves_open") is not None


def _still(entries: Sequence[tenure.Entry], now: Sequence[tenure.Entry]) -> list[tenure.Entry]:
    """Those of ``entries`` that are open now."""
    gone = tenure.ledger.diff(entries, now).closed
    return [entry for entry in entries if entry not in gone]


def _abandoned() -> list[tenure.errors.AbandonedHandle]:
    """What the safety net found since it was last asked."""
    try:
        tenure.drain()
    except tenure.errors.AbandonedHandle as leak:
        return [leak]
    except ExceptionGroup as several:
        return [leak for leak in several.exceptions if isinstance(leak, tenure.errors.AbandonedHandle)]
    return []
