"""Released packages, unpacked: the wheel where there is one, else the source."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["fetch", "locate"]

_PLATFORMS: Final = (
    "manylinux1_x86_64",
    "manylinux2010_x86_64",
    "manylinux2014_x86_64",
    "manylinux_2_28_x86_64",
    "any",
)
_PYTHONS: Final = ("3.11", "3.10", "3.9", "3.8", "3.7", "3.6", "3.5", "2.7")


def fetch(package: str, version: str, below: Path) -> Path | None:
    """The folder a release is unpacked in, fetched by pip when it is not there yet; ``None`` if it is not to be had."""
    folder = below / f"{package}-{version}"
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    archives = below / "downloads" / folder.name
    for options in _attempts():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        done = subprocess.run([*command, *options, "--dest", archives, f"{package}=={version}"], capture_output=True)
        if done.returncode == 0:
            break
    for archive in sorted(archives.glob("*")):
        _unpack(archive, folder)
    return folder if folder.is_dir() else None


def _attempts() -> Iterator[list[str]]:
    """A wheel for this machine, for an older Python, and the source."""
    wheel = ["--only-binary", ":all:", "--ignore-requires-python"]
    yield wheel
    for python in _PYTHONS:
        yield [*wheel, "--python-version", python, *(f"--platform={name}" for name in _PLATFORMS)]
    yield ["--no-binary", ":all:", "--no-build-isolation", "--ignore-requires-python"]


def _unpack(archive: Path, folder: Path) -> None:
    if archive.suffix in (".whl", ".zip"):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
    elif ".tar" in archive.name or archive.suffix == ".tgz":
        with tarfile.open(archive) as opened_tar:
            opened_tar.extractall(folder, filter="data")


def locate(folder: Path, name: str) -> Path | None:
    """A file of a release by its name; the source has one folder more on top, and some keep their code in ``src``."""
    found = (path for pattern in (name, f"*/{name}", f"**/{name}") for path in folder.glob(pattern))
    return next((path for path in found if path.is_file()), None)
