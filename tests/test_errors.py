"""Each error names what, which, where it began and what to do, keeps its facts, and survives a pickle."""

from __future__ import annotations

import pickle
import string

import pytest

from tenure import errors

CLASSES = [getattr(errors, name) for name in errors.__all__ if name not in {"TenureError", "TenureWarning"}]


def facts_of(cls: type) -> dict[str, object]:
    names = [name for _, name, _, _ in string.Formatter().parse(cls.message) if name]  # type: ignore[attr-defined]
    return {name: 2.5 if name == "seconds" else f"<{name}>" for name in names}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_message_is_made_of_its_facts_which_are_attributes(cls: type) -> None:
    facts = facts_of(cls)
    error = cls(**facts)
    for name, fact in facts.items():
        assert getattr(error, name) == fact
        assert (f"{fact:g}" if isinstance(fact, float) else str(fact)) in str(error)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_it_survives_a_pickle(cls: type) -> None:
    error = cls(**facts_of(cls))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert str(again) == str(error)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_docstring_names_every_fact(cls: type) -> None:
    assert all(f"``{name}``" in (cls.__doc__ or "") for name in facts_of(cls))


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = errors.__doc__ or ""
    assert all(name in drawn for name in errors.__all__)


def test_an_unknown_fact_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="ClosedHandle has no fact 'nothing'"):
        errors.ClosedHandle(which="a", opened="b", closed="c").nothing  # noqa: B018


def test_the_message_of_a_leak_reads_well() -> None:
    leak = errors.AbandonedHandle(
        which="sqlite handle 0x55d0", opened="ingest.py:41 in read_batch", outcome="Released."
    )
    assert str(leak) == (
        "sqlite handle 0x55d0 was never closed. Opened at ingest.py:41 in read_batch. Released. "
        "Close it, or open it in a with block."
    )
