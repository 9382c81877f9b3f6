"""Which files a run is about: those named, and every Python file below the folders named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Listing", "listing"]


@dataclass(frozen=True)
class Listing:
    """The files in order, and the folders nobody could look into."""

    files: list[Path] = field(default_factory=list)
    closed: list[OSError] = field(default_factory=list)  #: an error a folder; its ``filename`` is the folder


def listing(paths: Sequence[Path], exclude: Sequence[str]) -> Listing:
    """The files named, and every ``.py`` file below the folders named but what ``exclude`` leaves out."""
    found: dict[str, Path] = {}
    closed: list[OSError] = []
    for path in paths:
        for file in _below(path, exclude, closed) if path.is_dir() else (path,):
            found.setdefault(os.path.abspath(file), file)  # one file, however often and by whatever path it is named
    return Listing(list(found.values()), closed)


def _below(folder: Path, exclude: Sequence[str], closed: list[OSError]) -> Iterator[Path]:
    """Python files below a folder, by their parts; links to folders are not followed, as they may lead back."""

    def wanted(file: Path) -> bool:
        below = file.relative_to(folder)
        return not any(below.match(pattern) or pattern == below.name for pattern in exclude)

    files: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=closed.append):
        here = Path(place)
        folders[:] = [name for name in folders if wanted(here / name)]
        files.extend(file for name in names if name.endswith(".py") and wanted(file := here / name) and file.is_file())
    return iter(sorted(files))
