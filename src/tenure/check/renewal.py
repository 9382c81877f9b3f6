"""Which files have to be checked again, given what is known of them from the last run, and what they then say.

A file is checked again when it has changed, or when something it looked at has changed its face. To find the latter,
the changed files are read and asked for the faces that others have seen; those for whom one is another now are read as
well, and so on until nobody else is concerned. Only then are the files judged.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tenure.check.cache import Entries, Entry
from tenure.check.checker import Checker
from tenure.check.config import Config
from tenure.check.face import Faces, digest, kind_of_file
from tenure.check.finding import Finding
from tenure.check.modules import Key, Module
from tenure.check.overview import Bystander, Outline
from tenure.check.project import Project, module_file
from tenure.check.rules.unreadable import unreadable
from tenure.check.source import Unreadable, content, decode, root_and_name
from tenure.check.trace import Look

__all__ = ["Renewal"]

#: The part of a module that everybody looks at who looks for it.
_FILE: Final = "file "


class Renewal:
    """One group of files, and what is still known of them."""

    def __init__(self, files: Sequence[Path], known: Entries, config: Config, *, keep: bool) -> None:
        self.files = files
        self.known = known
        self.config = config
        self.keep = keep  #: for the next run
        self.project = Project()
        self.locked: dict[str, Unreadable] = {}  #: what cannot be opened, and why
        self.raws: dict[str, bytes] = {str(path): self.read(path) for path in files}
        self.places = {str(path): root_and_name(path)[:2] for path in files} if known else {}
        self.found: dict[Key, str] = {}  #: where each module is that somebody looks for
        self.learned = {name for entry in known.values() if entry.outline for name in entry.outline.opens}
        as_they_were = {path: entry for path, entry in known.items() if self.is_as_it_was(path, entry)}
        self.fresh = {path: entry for path, entry in as_they_were.items() if self.finds_all(entry)}

    def read(self, path: Path) -> bytes:
        """The content of a file; of one that cannot be opened, a word to know it by in the next run."""
        try:
            return content(path)
        except Unreadable as error:
            self.locked[str(path)] = error
            return str(error).encode()

    def is_as_it_was(self, path: str, entry: Entry) -> bool:
        """Whether a file has the content and the place it had, and was judged if it is to be judged now."""
        if path in self.raws:
            kept = entry.findings is not None and self.places[path] == (entry.root, entry.name)
            return kept and entry.digest == digest(self.raws[path])
        return self.whereabouts(entry.root, entry.name) == path and entry.digest == digest(_raw(Path(path)))

    def finds_all(self, entry: Entry) -> bool:
        """Whether every module that the file has looked for is still where it was, or still nowhere."""
        looked_for = ((name, parts[_FILE]) for name, parts in entry.rests_on.items() if _FILE in parts)
        return all(kind_of_file(self.whereabouts(entry.root, name)) == face for name, face in looked_for)

    def whereabouts(self, root: str, name: str) -> str:
        """The file of a module, as it is found now."""
        if (root, name) not in self.found:
            self.found[root, name] = module_file(root, name)
        return self.found[root, name]

    @property
    def stale(self) -> list[Path]:
        """The files that have to be judged, as far as is known."""
        return [path for path in self.files if str(path) not in self.fresh]

    @property
    def is_over(self) -> bool:
        """Whether nothing has changed at all."""
        return not self.stale and len(self.fresh) == len(self.known)

    def run(self, report: Callable[[Path], None]) -> Entries:
        """Judge what has to be judged; ``report`` hears of each file. Returns the entries of all files."""
        if self.is_over:
            for path in self.files:
                report(path)
            return self.fresh
        attempt = _Attempt(self)
        while lapsed := attempt.lapsed():
            for name in lapsed:
                del self.fresh[name]
            attempt = _Attempt(self)
        entries = attempt.judged(report)
        self.project = Project()  # what was read is large, and of no more use
        return entries


class _Attempt:
    """The files that are stale so far have been read; the others are taken at their word."""

    def __init__(self, renewal: Renewal) -> None:
        self.renewal = renewal
        self.fresh = renewal.fresh
        self.checker = Checker(renewal.config, renewal.project)
        self.unreadable: dict[Path, Unreadable] = {}
        self.modules = {path: module for path in renewal.stale if (module := self.read(path)) is not None}
        self.unread = {(entry.root, entry.name) for entry in self.fresh.values()}
        self.checker.learn(self.modules.values(), self.bystanders())
        self.faces: dict[str, Faces] = {}

    def read(self, path: Path) -> Module | None:
        """A file under check; ``None`` if it cannot be read."""
        try:
            if (locked := self.renewal.locked.get(str(path))) is not None:
                raise locked
            return self.checker.load(decode(self.renewal.raws[str(path)])[0], path)
        except Unreadable as error:
            self.unreadable[path] = error
            return None

    def bystanders(self) -> Iterator[Bystander]:
        for path, entry in self.fresh.items():
            if entry.outline is not None:
                text = partial(self.text, path)
                yield Bystander(entry.root, entry.name, path in self.renewal.raws, entry.imports, entry.outline, text)

    def raw(self, path: str) -> bytes:
        known = self.renewal.raws.get(path)
        return _raw(Path(path)) if known is None else known

    def text(self, path: str) -> str:
        """A file as far as it can be read."""
        return self.raw(path).decode("utf-8", "replace")

    # -- who is concerned ------------------------------------------------------------------------------------------

    def lapsed(self) -> list[str]:
        """Files that were taken for fresh and are not: something they looked at looks otherwise now."""
        names = self.checker.summaries.overview.learned ^ self.renewal.learned
        mention = re.compile(rb"\b(?:%s)\b" % b"|".join(re.escape(name.encode()) for name in names)) if names else None
        return [
            path
            for path, entry in self.fresh.items()
            if (mention is not None and mention.search(self.raw(path))) or not self.holds(entry)
        ]

    def holds(self, entry: Entry) -> bool:
        """Whether everything that may look otherwise than it did looks as it did."""
        for name, parts in entry.rests_on.items():
            if (entry.root, name) not in self.unread and parts.keys() != {_FILE}:
                faces = self.faces_below(entry.root)
                if any(faces.of(_look(name, part)) != face for part, face in parts.items()):
                    return False
        return True

    def faces_below(self, root: str) -> Faces:
        if root not in self.faces:
            self.faces[root] = Faces(self.checker.summaries, root)
        return self.faces[root]

    # -- what is known now -----------------------------------------------------------------------------------------

    def judged(self, report: Callable[[Path], None]) -> Entries:
        """The entries of all files, those of stale ones made anew."""
        findings: dict[Module, tuple[Finding, ...]] = {}
        entries = dict(self.fresh)
        for path in self.renewal.files:
            module = self.modules.get(path)
            if module is not None:
                findings[module] = tuple(self.checker.findings(module))
            elif path in self.unreadable:
                entries[str(path)] = self.silent(path)
            report(path)
        looked_at: list[Module] = []
        if self.renewal.keep:
            self.see_all_faces()
            looked_at = [module for module in self.renewal.project.modules.values() if module is not None]
        for module in [*findings, *looked_at]:
            known = entries.get(module.path)
            if known is None:
                entries[module.path] = self.entry(module, findings.get(module))
            elif module.path in self.fresh:
                entries[module.path] = dataclasses.replace(
                    known, rests_on=_joined(known.rests_on, self.seen_by(module))
                )
        return entries

    def silent(self, path: Path) -> Entry:
        """The entry of a file that cannot be read."""
        root, name, _ = root_and_name(path)
        raw = self.renewal.raws[str(path)]
        wanted = self.checker.config.wants("unreadable", "TEN001")
        findings = (unreadable(str(path), self.unreadable[path]),) if wanted else ()
        lines = 0 if str(path) in self.renewal.locked else _lines(raw)
        return Entry(root, name, digest(raw), lines, findings, 0, (), Outline((), ()), {})

    def entry(self, module: Module, findings: tuple[Finding, ...] | None) -> Entry:
        raw = self.raw(module.path)
        return Entry(
            module.root,
            module.name,
            digest(raw),
            _lines(raw),
            findings,
            self.checker.unfinished.get(module, 0),
            self.checker.imported(*module.key),
            self.checker.summaries.overview.outline(module),
            self.seen_by(module) if self.renewal.keep else {},
        )

    def see_all_faces(self) -> None:
        """To see one may need looks at others."""
        looks = self.renewal.project.trace.looks
        count = -1
        while count != (count := sum(map(len, looks.values()))):
            for asker, seen in list(looks.items()):
                for look in list(seen):
                    self.faces_below(asker.root).of(look)

    def seen_by(self, module: Module) -> Mapping[str, Mapping[str, str]]:
        """The faces that a module saw of others, by module and part."""
        faces = self.faces_below(module.root)
        seen: dict[str, dict[str, str]] = {}
        for look in self.renewal.project.trace.looks.get(module, ()):
            name, kind, part = look
            seen.setdefault(name, {})[f"{kind} {part}"] = faces.of(look)
        return seen


def _raw(path: Path) -> bytes:
    """The content of a file that others look at; of one that cannot be opened, why."""
    try:
        return content(path)
    except Unreadable as error:
        return str(error).encode()


def _lines(raw: bytes) -> int:
    return len(raw.splitlines())


def _look(name: str, part: str) -> Look:
    kind, _, which = part.partition(" ")
    return name, kind, which


def _joined(
    one: Mapping[str, Mapping[str, str]], other: Mapping[str, Mapping[str, str]]
) -> Mapping[str, Mapping[str, str]]:
    return {**one, **{name: {**one.get(name, {}), **parts} for name, parts in other.items()}}
