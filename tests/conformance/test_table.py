"""The table that an implementation says it enacts is the table."""

from __future__ import annotations

from tenure.lifecycle import TABLE

from .conftest import Runtime


def test_it_is_the_lifecycle_entry_by_entry(runtime: Runtime) -> None:
    assert runtime.module.table() == {tuple(pair): tuple(arrow) for pair, arrow in TABLE.items()}


def test_it_says_what_it_is_called(runtime: Runtime) -> None:
    assert runtime.module.name == runtime.name
