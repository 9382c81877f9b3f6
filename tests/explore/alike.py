"""The demand that a model is searched packed just as it is searched plain."""

from __future__ import annotations

from typing import Any

from tenure.explore.bounds import Bounds
from tenure.explore.packed import Packed
from tenure.explore.search import Search

__all__ = ["search_alike"]


def searched(model: Any, symmetry: bool) -> Search[Any]:
    search: Search[Any] = Search(model, Bounds(), reduce=False, symmetry=symmetry, stop_at_fault=False)
    search.run()
    return search


def search_alike(model: Any, symmetry: bool = False) -> None:
    """Every state, in the order in which it is met and with what it was met from; every end, fault and step."""
    small: Packed[Any] = Packed(model)
    small.pays = lambda states: True  # type: ignore[method-assign]  # to its end, even where that takes longer
    plain, quick = searched(model, symmetry), searched(small, symmetry)
    none = {None: None}
    seen = {small.unpack(to): none[of] if of is None else small.unpack(of) for to, of in quick.seen.items()}
    assert list(seen.items()) == list(plain.seen.items())
    assert {end: (count, small.unpack(state)) for end, (count, state) in quick.ends.items()} == plain.ends
    assert {fault: small.unpack(state) for fault, state in quick.faults.items()} == plain.faults
    assert (quick.steps, quick.depth) == (plain.steps, plain.depth)
