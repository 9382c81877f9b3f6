"""A scope closes what it owns, newest first, whatever happens in its block, and lets go of what was closed earlier."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import tenure


def test_it_closes_newest_first(released: list[int]) -> None:
    with tenure.Scope() as scope:
        for number in (1, 2, 3):
            scope.own(number, release=released.append)
        assert len(scope) == 3
    assert released == [3, 2, 1]
    assert scope.closed


def test_it_closes_when_the_block_raises(released: list[int]) -> None:
    with pytest.raises(LookupError), tenure.Scope() as scope:
        scope.open(int, "7", release=released.append)
        raise LookupError
    assert released == [7]


def test_a_failed_second_open_releases_the_first(released: list[int]) -> None:
    with pytest.raises(ValueError, match="invalid literal"), tenure.Scope() as scope:
        scope.open(int, "1", release=released.append)
        scope.open(int, "not a number", release=released.append)
    assert released == [1]


def test_pop_all_hands_everything_over(released: list[int]) -> None:
    with tenure.Scope() as building:
        building.own(1, release=released.append)
        building.own(2, release=released.append)
        kept = building.pop_all()
    assert released == []
    kept.close()
    assert released == [2, 1]


def test_push_takes_over_a_handle(released: list[int]) -> None:
    handle = tenure.own(1, release=released.append)
    with tenure.Scope() as scope:
        assert scope.push(handle) is handle
    assert handle.closed


def test_it_leaves_context_managers_and_calls_callbacks_in_their_place(released: list[int]) -> None:
    @contextmanager
    def manager() -> Iterator[str]:
        yield "entered"
        released.append(2)

    with tenure.Scope() as scope:
        scope.callback(released.append, 1)
        assert scope.enter(manager()) == "entered"
        scope.own(3, release=released.append)
    assert released == [3, 2, 1]


def test_a_scope_with_a_parent_is_closed_by_it(released: list[int]) -> None:
    with tenure.Scope() as outer:
        inner = tenure.Scope(parent=outer)
        inner.own(1, release=released.append)
        outer.own(2, release=released.append)
        early = tenure.Scope(parent=outer)
        early.close()
    assert inner.closed
    assert released == [2, 1]


def test_what_is_closed_early_is_let_go_of(released: list[int]) -> None:
    with tenure.Scope() as scope:
        for number in range(1000):
            scope.own(number, release=released.append).close()
        assert len(scope._owned) < 100
        assert len(scope) == 0
    assert released == list(range(1000))


def test_one_failure_is_raised_as_itself_and_the_rest_is_closed(released: list[int]) -> None:
    def fail(token: int) -> None:
        raise OSError(token)

    with pytest.raises(OSError, match="2"), tenure.Scope() as scope:
        scope.own(1, release=released.append)
        scope.own(2, release=fail)
        scope.own(3, release=released.append)
    assert released == [3, 1]


def test_several_failures_are_raised_together() -> None:
    def fail(token: int) -> None:
        raise OSError(token)

    scope = tenure.Scope()
    scope.own(1, release=fail)
    scope.own(2, release=fail)
    with pytest.raises(ExceptionGroup, match="several releases of a scope failed") as caught:
        scope.close()
    assert [str(error) for error in caught.value.exceptions] == ["2", "1"]


def test_a_closed_scope_takes_nothing_more(released: list[int]) -> None:
    scope = tenure.Scope()
    scope.close()
    scope.close()
    with pytest.raises(ValueError, match="this scope is closed"):
        scope.own(1, release=released.append)
    with pytest.raises(ValueError, match="this scope is closed"):
        scope.callback(print)
    assert released == []


def test_what_is_opened_while_another_thread_closes_the_scope_is_closed_and_refused(released: list[int]) -> None:
    scope = tenure.Scope()

    def make() -> int:
        scope.close()
        return 7

    with pytest.raises(ValueError, match="this scope is closed"):
        scope.open(make, release=released.append)
    assert (released, len(scope)) == ([7], 0)


def test_what_is_entered_while_another_thread_closes_the_scope_is_left_and_refused(released: list[int]) -> None:
    scope = tenure.Scope()

    @contextmanager
    def manager() -> Iterator[None]:
        scope.close()
        yield
        released.append(1)

    with pytest.raises(ValueError, match="this scope is closed"):
        scope.enter(manager())
    assert (released, len(scope)) == ([1], 0)


def test_what_comes_just_as_another_thread_closes_the_scope_is_refused_and_stays_its_owners(
    released: list[int],
) -> None:
    scope = tenure.Scope()

    class Closing(dict[int, Any]):
        """Another thread closes the scope just before something is put in."""

        def __setitem__(self, key: int, value: Any) -> None:
            scope.close()
            super().__setitem__(key, value)

    scope._owned = Closing()
    with pytest.raises(ValueError, match="this scope is closed"):
        scope.own(7, release=released.append)
    assert (released, len(scope), tenure.ledger.counts().open) == ([], 0, 0)


def test_two_threads_may_close_one_scope(released: list[int]) -> None:
    scope = tenure.Scope()

    class Emptied(dict[int, Any]):
        """Another thread takes the last one just before this one would."""

        def popitem(self) -> Any:
            self.clear()
            return super().popitem()

    scope._owned = Emptied({1: (None, released.clear)})
    scope.close()
    assert (scope.closed, len(scope)) == (True, 0)


def test_an_interrupt_while_it_closes_leaves_nothing_open(released: list[int]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), tenure.Scope() as scope:
        scope.own(1, release=released.append)
        scope.callback(interrupted)
    assert released == [1]
