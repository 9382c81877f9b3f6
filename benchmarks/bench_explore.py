"""How many states a second the explorer visits, beside other Python model checkers, and what the reductions save.

    python -m benchmarks.bench_explore [--rounds N] [--json FILE] [--results FILE]

One model of counters for everybody: threads that each count to a top, one rule that must hold in each state. The model
of Go is measured on four programs. All are run in turn, round after round, in one process; a figure is processor time,
the best of the rounds (a shared machine can only make it worse). Every round makes its model anew, within its time:
what a search remembers of a model, it has to find out first.

``minicheck`` and ``musil`` come from the package index (``make bench-explore``); musil needs Python 3.12. Their model
is written as their own documentation writes one over tuples.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from benchmarks.results import write_section

from tenure.explore.bounds import Bounds
from tenure.explore.boxed import Boxed
from tenure.explore.model import Footprint, Parted, Step
from tenure.explore.packed import Packed
from tenure.explore.resource import Cast, Resource
from tenure.explore.search import Search

State = tuple[int, ...]
COUNT, TOP = 4, 9
GO = ("small", "medium", "weak", "large")
MARKER = "explore"

#: Visits every state and tells how many there are, and how many steps were taken (0: it does not say).
Visit: TypeAlias = Callable[[], tuple[int, int]]


class Counters:
    """``count`` threads, each counting to ``top``."""

    name = "counters"

    def __init__(self, count: int, top: int) -> None:
        self.threads = tuple(f"p{i}" for i in range(count))
        self.top = top
        self._prints = [(1 << i, 1 << i, 1 << i, 1 << i, False) for i in range(count)]

    def starts(self) -> list[State]:
        return [(0,) * len(self.threads)]

    def steps(self, state: State) -> list[Step[State]]:
        top = self.top
        return [(i, "add", (*state[:i], n + 1, *state[i + 1 :])) for i, n in enumerate(state) if n < top]

    def broken(self, state: State) -> str | None:
        return "above the top" if max(state) > self.top else None

    def broken_at_end(self, state: State) -> str | None:
        return None

    def outcome(self, state: State) -> str:
        return "top"

    def footprints(self, state: State) -> list[Footprint]:
        return self._prints


class Sorted(Counters):
    """The same, its threads being alike."""

    def canonical(self, state: State) -> State:
        return tuple(sorted(state))


class Row(NamedTuple):
    """One measurement."""

    group: str
    name: str
    states: int
    steps: int
    seconds: float

    @property
    def rate(self) -> float:
        """States a second."""
        return self.states / self.seconds


def searched(make: Callable[[], Any], *, reduce: bool = False, symmetry: bool = False, pack: bool = True) -> Visit:
    """Search what ``make`` makes; ``pack`` if it tells its parts, as `explore` does."""

    def run() -> tuple[int, int]:
        model = make()
        if pack and isinstance(model, Parted):
            model = Packed(model)
        search: Search[Any] = Search(model, Bounds(), reduce=reduce, symmetry=symmetry, stop_at_fault=False)
        search.run()
        assert search.unfinished is None
        return len(search.seen), search.steps

    return run


def installed(name: str) -> Any:
    """The peer's module, or ``None``; peers are no dependency of ours, so nothing may need them to be there."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def of_minicheck() -> Visit | None:
    minicheck = installed("minicheck")
    if minicheck is None:
        return None
    fields = tuple(f"n{i}" for i in range(COUNT))

    def transitions(state: State) -> list[tuple[str, State]]:
        return [("add", (*state[:i], n + 1, *state[i + 1 :])) for i, n in enumerate(state) if n < TOP]

    protocol = minicheck.Protocol(
        name="counters",
        candidate=False,
        fields=fields,
        initial=(0,) * COUNT,
        transitions=transitions,
        invariants={"below the top": lambda named: max(named.values()) <= TOP},
    )
    return lambda: (int(minicheck.check_safety(protocol, max_states=10_000_000)["reachable_states"]), 0)


def of_musil() -> Visit | None:
    musil = installed("musil")
    if musil is None:
        return None

    def add(i: int) -> Any:
        return musil.Action(f"add{i}", lambda s: s[i] < TOP, lambda s: (*s[:i], s[i] + 1, *s[i + 1 :]))

    model = musil.Model(
        init=[(0,) * COUNT],
        actions=[add(i) for i in range(COUNT)],
        invariants={"below the top": lambda s: max(s) <= TOP},
        terminal=lambda s: min(s) == TOP,
    )
    return lambda: (int(musil.check(model, max_states=10_000_000).states_explored), 0)


def cases() -> Iterator[tuple[str, str, Visit]]:
    """Group, name, and what visits the states and tells how many."""
    counters = f"counters, {COUNT} threads to {TOP}"
    yield counters, "tenure", searched(lambda: Counters(COUNT, TOP))
    for name, peer in (("minicheck", of_minicheck()), ("musil", of_musil())):
        if peer is not None:
            yield counters, name, peer
    saved = "what reductions save"
    yield saved, "counters, reduced", searched(lambda: Counters(COUNT, TOP), reduce=True)
    yield saved, "counters, symmetric", searched(lambda: Sorted(COUNT, TOP), symmetry=True)
    yield from of_our_own()
    yield from of_go()


def of_our_own() -> Iterator[tuple[str, str, Visit]]:
    """The two models that come with the explorer, and what is saved by symmetry and by packing."""
    lifecycle, box = "our own lifecycle", "our own box"
    who = "4 borrowers, 2 closers"
    yield lifecycle, who, searched(lambda: Resource(Cast(4, 2)))
    yield lifecycle, f"{who}, not packed", searched(lambda: Resource(Cast(4, 2)), pack=False)
    yield lifecycle, f"{who}, symmetric", searched(lambda: Resource(Cast(4, 2)), symmetry=True)
    yield box, "2 borrowers, 2 closers", searched(lambda: Boxed(2, 2))
    yield box, "2 borrowers, 2 closers, not packed", searched(lambda: Boxed(2, 2), pack=False)


def of_go() -> Iterator[tuple[str, str, Visit]]:
    """Programs in Go, from one of the suite's to one wider than the litmus language is meant for."""
    from tenure.golang.machine import Machine
    from tenure.golang.parser import parse
    from tenure.golang.rules import DEFAULT, RULES

    for size in GO:
        path = Path(__file__).parent / f"{size}.litmus"
        test = parse(path.read_text("utf-8"), path.name)
        yield "Go model", f"{size}: {test.name}", searched(partial(Machine, test, RULES[DEFAULT]))
        if size == "medium":
            yield (
                "Go model",
                f"{size}: {test.name}, not packed",
                searched(partial(Machine, test, RULES[DEFAULT]), pack=False),
            )


def measured(rounds: int) -> list[Row]:
    everything = list(cases())
    best: dict[tuple[str, str], Row] = {}
    for _ in range(rounds):
        for group, name, run in everything:
            gc.collect()
            began = time.process_time()
            states, steps = run()
            row = Row(group, name, states, steps, time.process_time() - began)
            if (group, name) not in best or row.seconds < best[group, name].seconds:
                best[group, name] = row
    return list(best.values())


def versions() -> str:
    known = []
    for name in ("minicheck", "musil"):
        try:
            known.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            known.append(f"no {name}")
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores; {', '.join(known)}"


def _line(row: Row) -> str:
    steps = (f"{row.steps:,}", f"{row.steps / row.seconds:,.0f}") if row.steps else ("", "")
    cells = [row.group, row.name, f"{row.states:,}", steps[0], f"{row.seconds:.3f}", f"{row.rate:,.0f}", steps[1]]
    return f"| {' | '.join(cells)} |"


def as_markdown(rows: list[Row], rounds: int) -> str:
    lines = [
        "## The explorer: states a second",
        "",
        f"{versions()}. Processor time, the best of {rounds} rounds, all in one process (`make bench-explore`).",
        "",
        "| what | model | states | steps | seconds | states/s | steps/s |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    lines += [_line(row) for row in rows]
    peers = [row for row in rows if row.group == rows[0].group and row is not rows[0]]
    if peers:
        fastest = max(peers, key=lambda row: row.rate)
        lines += ["", f"On the counters: {rows[0].rate / fastest.rate:.1f}× the faster peer ({fastest.name})."]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--results", type=Path)
    args = parser.parse_args()
    rows = measured(args.rounds)
    section = as_markdown(rows, args.rounds)
    print(section)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        data = {"versions": versions(), "rows": [{**row._asdict(), "rate": row.rate} for row in rows]}
        args.json.write_text(json.dumps(data, indent=2) + "\n", "utf-8")
    if args.results:
        write_section(MARKER, section, args.results)


if __name__ == "__main__":
    main()
