"""Works out the fixes of a file: each is tried on the text, and offered only if the result checks cleaner."""

from __future__ import annotations

import io
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst

from tenure.check.config import Config
from tenure.check.engine import check_source
from tenure.check.finding import Finding
from tenure.check.fix.edit import Fix, applied, edits_between
from tenure.check.fix.place import find
from tenure.check.fix.remedies import REMEDIES
from tenure.check.lines import split
from tenure.check.replacing import replace
from tenure.check.source import Unreadable, content, decode

__all__ = ["Rewrite", "offer", "offers", "rewrite", "rewrite_file", "rewrite_files"]


@dataclass(frozen=True)
class Rewrite:
    """A file before and after its fixes, what was fixed, and what is left to a person."""

    path: str
    before: str
    after: str
    encoding: str
    fixed: int
    left: tuple[Finding, ...]

    def write(self) -> None:
        """Put the new text in the place of the old, in its encoding; leave the file alone if nothing is new."""
        if self.fixed:
            replace(Path(self.path), self.after.encode(self.encoding))


def offer(text: str, finding: Finding, config: Config) -> Fix | None:
    """The fix of one finding in the text as it stands; nothing where it is not certain."""
    tried = _tried(text, finding, check_source(text, finding.path, config), config)
    return None if tried is None else Fix(tried[0], edits_between(text, tried[1]))


def offers(findings: Sequence[Finding], config: Config) -> dict[Finding, Fix]:
    """The fix of each finding that has one, each by itself in the file as it is on disk."""
    found: dict[Finding, Fix] = {}
    for finding in findings:
        text = _text(finding.path)
        fix = None if text is None else offer(text[0], finding, config)
        if fix is not None:
            found[finding] = fix
    return found


def rewrite_files(findings: Sequence[Finding], config: Config) -> list[Rewrite]:
    """The fixes of every file there is a finding in."""
    by_path: dict[str, list[Finding]] = {}
    for finding in findings:
        by_path.setdefault(finding.path, []).append(finding)
    return [rewrite_file(path, group, config) for path, group in by_path.items()]


def _text(path: str) -> tuple[str, str] | None:
    """The text of a file and its encoding; nothing where Python itself could not read it."""
    try:
        return decode(content(Path(path)))
    except Unreadable:
        return None


def rewrite_file(path: str, findings: Sequence[Finding], config: Config) -> Rewrite:
    """Fix what can be fixed of these findings of a file; the file itself is not written."""
    read = _text(path)
    if read is None:
        return Rewrite(path, "", "", "utf-8", 0, tuple(findings))
    return rewrite(read[0], path, findings, config, read[1])


def rewrite(text: str, path: str, findings: Sequence[Finding], config: Config, encoding: str = "utf-8") -> Rewrite:
    """Fix one finding after the other, each in the text that the one before left."""
    wanted = Counter(map(_identity, findings))
    before, fixed = text, 0
    current = check_source(text, path, config)
    while True:
        for finding in _of(current, wanted):
            tried = _tried(text, finding, current, config)
            if tried is not None:
                text, current = tried[1], tried[2]
                fixed += 1
                break
        else:
            return Rewrite(path, before, text, encoding, fixed, tuple(_of(current, wanted)))


def _of(current: Iterable[Finding], wanted: Counter[tuple[str, ...]]) -> Iterator[Finding]:
    """Those of the current findings that were asked for."""
    return (finding for finding in current if wanted[_identity(finding)])


def _identity(finding: Finding) -> tuple[str, ...]:
    """What stays the same of a finding while the lines around it move."""
    return finding.rule, finding.facts.function, finding.facts.variable or "", finding.facts.kind


def _tried(
    text: str, finding: Finding, current: Sequence[Finding], config: Config
) -> tuple[str, str, tuple[Finding, ...]] | None:
    """Title, text and findings after the first remedy that leaves the finding out and brings in no other."""
    for title, after in _changes(text, finding):
        if _comments(text) != _comments(after):
            continue
        found = _checked(after, finding.path, config)
        if found is not None and Counter(map(_identity, found)) < Counter(map(_identity, current)):
            return title, after, found
    return None


def _comments(text: str) -> Counter[str]:
    """What its author wrote for other people: no fix may drop a word of it."""
    try:
        tokens = tokenize.generate_tokens(io.StringIO(text, newline=None).readline)
        return Counter(token.string.rstrip() for token in tokens if token.type == tokenize.COMMENT)
    except (tokenize.TokenError, SyntaxError):
        return Counter()


def _checked(text: str, path: str, config: Config) -> tuple[Finding, ...] | None:
    """The findings of a text that Python can read."""
    try:
        compile(text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return check_source(text, path, config)


def _changes(text: str, finding: Finding) -> Iterator[tuple[str, str]]:
    """What each remedy that is certain does, and the text it leads to."""
    try:
        module = cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError):
        return
    place = find(module, text, finding)
    if place is None:
        return
    unchanged = module.code
    for remedy in REMEDIES:
        change = remedy(place, finding)
        if change is not None and len(split(unchanged)) == len(split(text)):
            yield change.title, applied(text, edits_between(unchanged, change.module.code))
