"""Results of earlier runs, kept by content: what has not changed, and rests on nothing that has, is not read again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from tenure.check.config import Config
from tenure.check.finding import Facts, Finding, Step

__all__ = ["Store", "digest"]

#: Facts whose values are pairs; JSON gives lists back.
_PAIRS: Final = ("start", "end", "call_start", "call_end")


def digest(raw: bytes) -> str:
    """A short name for a content."""
    return hashlib.blake2b(raw, digest_size=12).hexdigest()


@cache
def _checker() -> str:
    """A name for this very checker: another version of it, or of Python, finds other things."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return digest(b"".join(file.read_bytes() for file in files) + sys.version.encode())


class Store:
    """One file of results for one choice of files and settings."""

    def __init__(self, folder: Path, files: Iterable[Path], config: Config) -> None:
        chosen = json.dumps([sorted(map(str, files)), _checker(), _told(config)])
        self.path = folder / f"{digest(chosen.encode())}.json"
        self.entries: dict[str, dict[str, Any]] = self._load()
        self.digests: dict[str, str | None] = {}

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            entries = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return {}
        return entries if isinstance(entries, dict) else {}

    def fresh(self, path: Path, raw: bytes) -> tuple[list[Finding], int] | None:
        """The findings and the number of lines of a file that has not changed, and what it rests on has not either."""
        entry = self.entries.get(str(path))
        try:
            if entry is None or entry["digest"] != digest(raw):
                return None
            if any(self.digest_of(name) != known for name, known in entry["rests_on"]):
                return None
            return [_revived(finding) for finding in entry["findings"]], int(entry["lines"])
        except (KeyError, TypeError, ValueError):
            return None

    def digest_of(self, name: str) -> str | None:
        """The content of a file as it is now; ``None`` if there is none."""
        if name not in self.digests:
            try:
                self.digests[name] = digest(Path(name).read_bytes())
            except OSError:
                self.digests[name] = None
        return self.digests[name]

    def put(self, path: Path, raw: bytes, lines: int, findings: Sequence[Finding], rests_on: Iterable[str]) -> None:
        """Remember what was found in a file, and which other files that rests on."""
        self.entries[str(path)] = {
            "digest": digest(raw),
            "lines": lines,
            "findings": [dataclasses.asdict(finding) for finding in findings],
            "rests_on": [(name, self.digest_of(name)) for name in sorted(rests_on)],
        }

    def save(self) -> None:
        """Write everything down; a cache that cannot be written is no reason to fail."""
        temporary = self.path.with_suffix(f".{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self.entries), "utf-8")
            temporary.replace(self.path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()


def _told(config: Config) -> list[Any]:
    openers = sorted((name, list(closers)) for name, closers in config.openers.items())
    return [sorted(config.select), sorted(config.ignore), config.certainty, openers]


def _revived(stored: Mapping[str, Any]) -> Finding:
    facts: dict[str, Any] = {key: tuple(value) if key in _PAIRS else value for key, value in stored["facts"].items()}
    story = tuple(Step(step["line"], step["text"]) for step in stored["story"])
    return Finding(**{**stored, "story": story, "facts": Facts(**facts)})
