"""The checker's front door: files in, findings out."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tenure.check.cache import Entries, Store
from tenure.check.checker import Checker
from tenure.check.config import Config
from tenure.check.finding import Finding
from tenure.check.listing import listing
from tenure.check.renewal import Renewal
from tenure.check.rules.unreadable import unreadable
from tenure.check.sharing import shared
from tenure.check.source import Unreadable, root_and_name

__all__ = ["Report", "check", "check_source", "undisturbed"]

#: Fewer files than this are checked sooner by one process than several can be started.
WORTH_SHARING: Final = 200
#: Trees of more lines than this are not kept in memory once their group is done; they take about 1.5 KB a line.
MOST_LINES: Final = 500_000


@dataclass(frozen=True)
class Report:
    """What one run found, and how much it read."""

    findings: tuple[Finding, ...]
    files: int
    lines: int
    seconds: float
    unfinished: int = 0  #: places that were not followed to the end, whether that was reported or not


def check(
    paths: Sequence[Path],
    config: Config,
    *,
    progress: Callable[[int, int, str], None] | None = None,
    jobs: int = 1,
    cache: Path | None = None,
) -> Report:
    """Check every Python file of ``paths``; ``progress`` hears (done, all, path) after each file."""
    began = time.perf_counter()
    listed = listing(paths, config.exclude)
    files = listed.files
    store = Store(cache, paths, config) if cache is not None else None
    with undisturbed():
        before = store.load() if store is not None else {}
        work = {
            name: Renewal(group, before.get(name, {}), config, keep=store is not None)
            for name, group in _groups(files).items()
        }
        now = _renewed(work, jobs, _Progress(len(files), progress))
    if store is not None and not all(renewal.is_over for renewal in work.values()):
        store.save(now)
    entries = [now[name][str(path)] for name, renewal in work.items() for path in renewal.files]
    findings = [finding for entry in entries for finding in entry.findings or ()]
    findings.extend(_locked_out(listed.closed, config))
    lines = sum(entry.lines for entry in entries)
    unfinished = sum(entry.unfinished for entry in entries)
    return Report(tuple(sorted(findings, key=_order)), len(files), lines, time.perf_counter() - began, unfinished)


def check_source(text: str, path: str, config: Config) -> tuple[Finding, ...]:
    """Check one text as the file ``path``; the other files of its package are read from disk where it uses them."""
    checker = Checker(config)
    try:
        module = checker.load(text, Path(path))
    except Unreadable as error:
        return (unreadable(path, error),) if config.wants("unreadable", "TEN001") else ()
    checker.learn([module])
    return tuple(sorted(checker.findings(module), key=_order))


def _locked_out(folders: Sequence[OSError], config: Config) -> Iterator[Finding]:
    """A folder nobody could look into does not pass for an empty one."""
    if config.wants("unreadable", "TEN001"):
        for each in folders:
            why = Unreadable(f"it cannot be listed: {each.strerror}")
            yield unreadable(str(Path(each.filename)), why, "folder")


class _Progress:
    """Counts files and tells whoever wants to hear."""

    def __init__(self, total: int, told: Callable[[int, int, str], None] | None) -> None:
        self.total = total
        self.told = told
        self.done = 0

    def __call__(self, path: Path) -> None:
        self.done += 1
        if self.told is not None:
            self.told(self.done, self.total, str(path))


def _renewed(work: dict[str, Renewal], jobs: int, report: _Progress) -> dict[str, Entries]:
    """What is known of each group now; groups are worked on side by side where that pays."""
    waiting = {name: renewal for name, renewal in work.items() if not renewal.is_over}
    if jobs < 2 or len(waiting) < 2 or sum(len(r.stale) for r in waiting.values()) < WORTH_SHARING:
        return dict(_one_by_one(work, report))
    now = {name: renewal.run(report) for name, renewal in work.items() if renewal.is_over}
    largest = sorted(waiting, key=lambda name: len(waiting[name].stale), reverse=True)
    for name, entries in zip(largest, shared(_renewed_apart, [waiting[name] for name in largest], jobs), strict=True):
        now[name] = entries
        for path in waiting[name].files:
            report(path)
    return now


def _one_by_one(work: dict[str, Renewal], report: _Progress) -> Iterator[tuple[str, Entries]]:
    """Each group after the other; what was read for them is fetched as garbage before it is too much."""
    lines = 0
    for name, renewal in work.items():
        entries = renewal.run(report)
        yield name, entries
        lines += sum(entry.lines for entry in entries.values())
        if lines > MOST_LINES:
            gc.collect()
            lines = 0


def _renewed_apart(renewal: Renewal) -> Entries:
    with undisturbed(last=True):
        return renewal.run(lambda path: None)


def _groups(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Files of one package belong together, as do those of none; a few files are one group, whatever they are."""
    if len(files) < WORTH_SHARING:
        return {"": list(files)}
    groups: dict[str, list[Path]] = {}
    for path in files:
        root, name, package = root_and_name(path)
        top = name.partition(".")[0] if package or "." in name else ""
        groups.setdefault(f"{root}/{top}", []).append(path)
    return groups


@contextmanager
def undisturbed(last: bool = False) -> Iterator[None]:
    """Syntax trees are many small objects that stay: looking for garbage among them is wasted time.

    ``last`` says that the process does nothing more afterwards, so that nobody need ever look among them.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if last:
            gc.freeze()
        if was_on:
            gc.enable()


def _order(finding: Finding) -> tuple[str, int, int, str]:
    return finding.path, finding.line, finding.column, finding.code
