"""The findings an old code base starts with: known, counted, and not reported again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tenure.check.finding import Finding
from tenure.check.lines import relative
from tenure.check.replacing import replace

__all__ = ["Baseline", "BaselineError", "covers"]

_VERSION: Final = 1

#: Says whether a file, named as the baseline names it, was among what was checked.
Covered = Callable[[str], bool]


class BaselineError(ValueError):
    """A baseline file is missing or is not one; the message says which and what to do."""


@dataclass(frozen=True)
class Baseline:
    """What was known when the file was written: by fingerprint, the file, the rule and the function."""

    known: Mapping[str, tuple[str, str, str]]

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """The baseline in that file."""
        try:
            content = json.loads(path.read_text("utf-8"))
            return cls(_entries(content))
        except FileNotFoundError:
            raise BaselineError(f"the baseline {path} does not exist; --write-baseline makes it") from None
        except OSError as error:
            raise BaselineError(f"the baseline {path} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            why = f"{path} is not a baseline ({error})"
            raise BaselineError(f"{why}; delete it, and --write-baseline makes a new one") from None

    @classmethod
    def of(cls, names: Mapping[Finding, str], root: Path) -> Baseline:
        """The baseline of these findings and their fingerprints; files are named as seen from ``root``."""
        return cls({name: (relative(f.path, root), f.rule, f.facts.function) for f, name in names.items()})

    def keeping(self, other: Baseline, covered: Covered) -> Baseline:
        """This baseline, and of the other one what stands for files that were not checked."""
        kept = {name: entry for name, entry in other.known.items() if not covered(entry[0])}
        return Baseline(kept | dict(self.known))

    def write(self, path: Path) -> None:
        """Write it, ordered by what the entries stand for, so that a change of it reads well."""
        ordered = sorted(self.known.items(), key=lambda entry: (entry[1], entry[0]))
        findings = [
            {"path": file, "rule": rule, "function": function, "fingerprint": name}
            for name, (file, rule, function) in ordered
        ]
        replace(path, (json.dumps({"version": _VERSION, "findings": findings}, indent=1) + "\n").encode())

    def new(self, names: Mapping[Finding, str]) -> tuple[Finding, ...]:
        """The findings it does not know."""
        return tuple(finding for finding, name in names.items() if name not in self.known)

    def gone(self, names: Mapping[Finding, str], covered: Covered) -> int:
        """How many of its entries for files that were checked nothing stands for any more."""
        found = set(names.values())
        return sum(name not in found and covered(entry[0]) for name, entry in self.known.items())


def _entries(content: Any) -> dict[str, tuple[str, str, str]]:
    if content["version"] != _VERSION:
        raise ValueError(f"its version is {content['version']}, this tenure reads {_VERSION}")
    return {
        str(entry["fingerprint"]): (str(entry["path"]), str(entry["rule"]), str(entry["function"]))
        for entry in content["findings"]
    }


def covers(paths: list[Path], root: Path) -> Covered:
    """Whether a file named from ``root`` is one of ``paths`` or lies below one."""
    checked = [path.resolve() for path in paths]
    return lambda name: any((root / name).resolve().is_relative_to(path) for path in checked)
