"""The model in the module's docstring is a model: it runs, and each protocol tells who offers it."""

from __future__ import annotations

import doctest

from tenure.explore import model
from tenure.explore.model import Drawing, Drawn, Footprint, Footprinted, Symmetric


class Everything:
    def canonical(self, state: int) -> int:
        return state

    def footprints(self, state: int) -> list[Footprint]:
        return []

    def draw(self, state: int) -> Drawing:
        return Drawing()


def test_the_example_in_the_docstring_runs() -> None:
    assert doctest.testmod(model).failed == 0


def test_the_example_loses_an_addition_when_both_read_first() -> None:
    names: dict[str, object] = {}
    example = doctest.DocTestFinder().find(model, "model")[0].examples[0]
    exec(example.source, names)
    lost = names["Lost"]()  # type: ignore[operator]
    state = lost.starts()[0]
    for thread in (0, 1, 0, 1):
        state = next(after for mover, _, after in lost.steps(state) if mover == thread)
    assert lost.broken_at_end(state) == "an addition was lost"


def test_what_a_model_offers_is_found_by_looking() -> None:
    whole = Everything()
    assert isinstance(whole, Symmetric)
    assert isinstance(whole, Footprinted)
    assert isinstance(whole, Drawn)
    assert not isinstance(object(), Symmetric | Footprinted | Drawn)
