"""Results of earlier runs, kept by content: what has not changed, and rests on nothing that has, is not read again."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from tenure.check.config import Config
from tenure.check.face import digest
from tenure.check.finding import Facts, Finding, Step
from tenure.check.overview import Outline
from tenure.check.replacing import replace

__all__ = ["Entries", "Entry", "Store"]

#: Facts whose values are pairs; JSON gives lists back.
_PAIRS: Final = ("start", "end", "call_start", "call_end")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is remembered of one file."""

    root: str
    name: str  #: its name as a module below ``root``
    digest: str  #: its content, shortened
    lines: int
    findings: tuple[Finding, ...] | None  #: ``None`` if it was only looked at for the sake of others
    unfinished: int  #: how many places of it were not followed to the end
    imports: tuple[str, ...]  #: the modules of the project it takes names from
    outline: Outline | None  #: ``None`` if nobody asked what it says to everybody
    rests_on: Mapping[str, Mapping[str, str]]  #: module -> kind and name of a part of it -> the face that part had


#: By path.
Entries = dict[str, Entry]


@cache
def _checker() -> str:
    """A name for this very checker: another version of it, or of Python, finds other things."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return digest(b"".join(file.read_bytes() for file in files) + sys.version.encode())


class Store:
    """One file of results for one choice of paths and settings, in groups that know nothing of each other."""

    def __init__(self, folder: Path, paths: Iterable[Path], config: Config) -> None:
        chosen = json.dumps([str(Path.cwd()), sorted(map(str, paths)), _checker(), _told(config)])
        self.path = folder / f"{digest(chosen.encode())}.json"

    def load(self) -> dict[str, Entries]:
        """The entries of each group; none where there is no such file, or it is damaged."""
        try:
            groups = json.loads(self.path.read_bytes())
            return {
                group: {path: _revived(entry) for path, entry in entries.items()} for group, entries in groups.items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return {}

    def save(self, groups: Mapping[str, Entries]) -> None:
        """Write everything down; a cache that cannot be written is no reason to fail."""
        told = {
            group: {path: _told_entry(entry) for path, entry in entries.items()} for group, entries in groups.items()
        }
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            replace(self.path, json.dumps(told).encode())


def _told(config: Config) -> list[Any]:
    openers = sorted((name, list(closers)) for name, closers in config.openers.items())
    return [sorted(config.select), sorted(config.ignore), config.certainty, openers]


def _told_entry(entry: Entry) -> dict[str, Any]:
    told = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
    if entry.findings:
        told["findings"] = [dataclasses.asdict(finding) for finding in entry.findings]
    if entry.outline is not None:
        told["outline"] = dataclasses.astuple(entry.outline)
    return told


def _revived(told: dict[str, Any]) -> Entry:
    findings, outline = told["findings"], told["outline"]
    told["findings"] = None if findings is None else tuple(map(_revived_finding, findings))
    told["outline"] = None if outline is None else Outline(*map(tuple, outline))
    if not isinstance(told["rests_on"], dict):
        raise TypeError("an entry names what it rests on")
    return Entry(**told)


def _revived_finding(told: dict[str, Any]) -> Finding:
    facts: dict[str, Any] = {key: tuple(value) if key in _PAIRS else value for key, value in told["facts"].items()}
    story = tuple(Step(step["line"], step["text"]) for step in told["story"])
    return Finding(**{**told, "story": story, "facts": Facts(**facts)})
