"""``with sqlite3.connect(p) as db:`` commits and leaves the connection open; ``closing`` around it closes it."""

from __future__ import annotations

from typing import cast

import libcst as cst

from tenure.check.finding import Finding
from tenure.check.fix.place import Place, with_header
from tenure.check.fix.remedies.change import Change

__all__ = ["remedy"]


def remedy(place: Place, finding: Finding) -> Change | None:
    """Let the block commit first, then close: ``with contextlib.closing(connect(p)) as db, db:``."""
    item = place.parents.get(place.call)
    if place.facts.kind != "database connection" or place.facts.managed or not isinstance(item, cst.WithItem):
        return None
    if not place.may_mean_module("contextlib"):
        return None
    block = place.parents[item]
    if not isinstance(block, cst.With) or len(block.items) != 1 or block.asynchronous is not None:
        return None
    name = item.asname.name if item.asname is not None else cst.Name("connection")
    if not isinstance(name, cst.Name):
        return None
    closing = cst.Call(cst.parse_expression("contextlib.closing"), [cst.Arg(place.call)])
    items = [cst.WithItem(closing, cst.AsName(name)), cst.WithItem(cst.Name(name.value))]
    changed = cast(cst.Module, place.module.deep_replace(block, block.with_changes(items=items)))
    return Change("close it after the transaction", with_header(changed, ["contextlib"]))
