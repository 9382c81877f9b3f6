"""The checker's front door: files in, findings out."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tenure.check.cache import Store
from tenure.check.checker import Checker
from tenure.check.config import Config
from tenure.check.finding import Finding
from tenure.check.rules.unreadable import unreadable
from tenure.check.source import MAX_BYTES, Unreadable, decoded, root_and_name

__all__ = ["Report", "check", "check_source", "undisturbed"]

#: Fewer files than this are checked sooner by one process than several can be started.
WORTH_SHARING: Final = 200


@dataclass(frozen=True)
class Report:
    """What one run found, and how much it read."""

    findings: tuple[Finding, ...]
    files: int
    lines: int
    seconds: float


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
    files = _files_below(paths, config)
    run = _Run(config, Store(cache, files, config) if cache is not None else None, len(files), progress)
    with undisturbed():
        stale = run.take_fresh(files)
        groups = _groups(stale, jobs)
        if len(groups) > 1:
            run.share(groups, jobs)
        else:
            run.add(_checked(stale, config, run.report))
    if run.store is not None and stale:
        run.store.save()
    return Report(tuple(sorted(run.findings, key=_order)), len(files), run.lines, time.perf_counter() - began)


def check_source(text: str, path: str, config: Config) -> tuple[Finding, ...]:
    """Check one text as the file ``path``; the other files of its package are read from disk where it uses them."""
    checker = Checker(config)
    try:
        module = checker.load(text, Path(path))
    except Unreadable as error:
        return (unreadable(path, error),) if config.wants("unreadable", "TEN001") else ()
    checker.learn([module])
    return tuple(sorted(checker.findings(module), key=_order))


@dataclass(frozen=True)
class _Result:
    """What was found in one file, and what that rests on."""

    path: Path
    raw: bytes
    lines: int
    findings: tuple[Finding, ...]
    rests_on: tuple[str, ...]


class _Run:
    """Gathers results, from the cache and from the checker."""

    def __init__(
        self, config: Config, store: Store | None, total: int, progress: Callable[[int, int, str], None] | None
    ) -> None:
        self.config = config
        self.store = store
        self.total = total
        self.progress = progress
        self.done = 0
        self.lines = 0
        self.findings: list[Finding] = []

    def report(self, path: Path) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total, str(path))

    def take_fresh(self, files: Iterable[Path]) -> list[Path]:
        """Take what the cache still knows; the rest is to be checked."""
        if self.store is None:
            return list(files)
        stale = []
        for path in files:
            known = self.store.fresh(path, _raw(path))
            if known is None:
                stale.append(path)
                continue
            self.findings.extend(known[0])
            self.lines += known[1]
            self.report(path)
        return stale

    def add(self, results: Iterable[_Result]) -> None:
        for result in results:
            self.findings.extend(result.findings)
            self.lines += result.lines
            if self.store is not None:
                self.store.put(result.path, result.raw, result.lines, result.findings, result.rests_on)

    def share(self, groups: Sequence[Sequence[Path]], jobs: int) -> None:
        """Groups that know nothing of each other are checked side by side."""
        with ProcessPoolExecutor(jobs) as pool:
            for results in pool.map(_checked_apart, groups, [self.config] * len(groups)):
                self.add(results)
                for result in results:
                    self.report(result.path)


def _checked_apart(files: Sequence[Path], config: Config) -> list[_Result]:
    with undisturbed(last=True):
        return list(_checked(files, config, lambda path: None))


def _checked(files: Sequence[Path], config: Config, report: Callable[[Path], None]) -> Iterator[_Result]:
    """Read them all, learn who opens things, then judge each."""
    checker = Checker(config)
    modules = {}
    for path in files:
        raw = _raw(path)
        try:
            if len(raw) > MAX_BYTES:
                raise Unreadable(f"it has more than {MAX_BYTES // 1_000_000} MB")
            modules[path] = raw, checker.load(decoded(raw), path)
        except Unreadable as error:
            wanted = config.wants("unreadable", "TEN001")
            yield _Result(path, raw, raw.count(b"\n") + 1, (unreadable(str(path), error),) if wanted else (), ())
            report(path)
    checker.learn([module for _, module in modules.values()])
    # What a result rests on is told even when nobody keeps it: it costs little, and the two ways stay one.
    for path, (raw, module) in modules.items():
        found = tuple(checker.findings(module))
        yield _Result(path, raw, raw.count(b"\n") + 1, found, tuple(checker.rests_on(module)))
        report(path)


def _raw(path: Path) -> bytes:
    """The content of a file; of one that cannot be opened, a text that says so to whoever parses it."""
    try:
        return path.read_bytes()
    except OSError as error:
        return f"cannot be opened: {error.strerror}".encode()


def _groups(files: Sequence[Path], jobs: int) -> list[list[Path]]:
    """Files of one package belong together; there is one group when sharing does not pay."""
    if jobs < 2 or len(files) < WORTH_SHARING:
        return [list(files)]
    packages: dict[tuple[str, str], list[Path]] = {}
    for path in files:
        root, name, _ = root_and_name(path)
        packages.setdefault((root, name.partition(".")[0]), []).append(path)
    return sorted(packages.values(), key=len, reverse=True)


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


def _files_below(paths: Sequence[Path], config: Config) -> list[Path]:
    """The files named, and every ``.py`` file below the folders named, in order."""
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*.py")):
                below = file.relative_to(path)
                if not any(below.match(p) or p in below.parts for p in config.exclude) and file.is_file():
                    found[file] = None
        else:
            found[path] = None
    return list(found)
