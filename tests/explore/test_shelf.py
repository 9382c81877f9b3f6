"""A model is found by its name, and what is none is refused with what was missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.explore.resource import Resource
from tenure.explore.shelf import UnknownModel, load

MODEL = """
class Model:
    name, threads = "m", ("p0",)
    def __init__(self, top=1): self.top = top
    def starts(self): return [(0,)]
    def steps(self, state): return [(0, "on", (state[0] + 1,))] if state[0] < self.top else []
    def broken(self, state): return None
    def broken_at_end(self, state): return None
    def outcome(self, state): return str(state[0])

ready = Model(4)
number = 7
def half(): return object()
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "model.py"
    path.write_text(MODEL)
    return str(path)


def test_the_lifecycle_is_made_with_its_cast() -> None:
    model = load("lifecycle", {"borrowers": 3, "closers": 2})
    assert isinstance(model, Resource)
    assert model.threads == ("b0", "b1", "b2", "o0", "o1", "gc", "net")


def test_a_class_in_a_file_is_called_with_the_settings(file: str) -> None:
    assert load(f"{file}:Model", {"top": 3}).top == 3  # type: ignore[attr-defined]


def test_a_model_that_is_made_already_is_taken_as_it_is(file: str) -> None:
    assert load(f"{file}:ready", {}).top == 4  # type: ignore[attr-defined]


def test_a_class_in_a_module_is_found() -> None:
    assert isinstance(load("tenure.explore.resource:Resource", {}), Resource)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("heap", "there is no model 'heap'; known are boxed, lifecycle, file.py:Name and package.module:Name"),
        ("no/such.py:Model", "there is no file no/such.py"),
        ("no.such:Model", "no.such cannot be imported: No module named 'no'"),
        ("FILE:Gone", "has no 'Gone'"),
        ("FILE:number", "is no model, and nothing that makes one: it is a int"),
        ("FILE:half", "is no model: it has no threads, starts, steps, broken, broken_at_end, outcome, name"),
    ],
)
def test_what_is_no_model_is_refused(file: str, name: str, words: str) -> None:
    with pytest.raises(UnknownModel) as refused:
        load(name.replace("FILE", file), {})
    assert words in str(refused.value)


def test_settings_that_do_not_fit_are_named() -> None:
    with pytest.raises(UnknownModel, match=r"lifecycle cannot be made with lenders=2: .*'lenders'"):
        load("lifecycle", {"lenders": 2})


def test_a_file_that_fails_is_named_with_its_error(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("1 / 0")
    with pytest.raises(UnknownModel, match=r"bad.py cannot be run: ZeroDivisionError: division by zero"):
        load(f"{path}:Model", {})
