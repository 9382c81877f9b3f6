"""What one run is told, by ``[tool.tenure.check]`` of the project and by the command line, which has the last word."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tenure.check.config import Config, ConfigError
from tenure.check.rules import RULES

__all__ = ["Settings", "chosen", "default_cache", "nearest_pyproject", "read"]

#: Every key ``[tool.tenure.check]`` may have. The first ones are the checker's, the others the command's own.
_KEYS: Final = ("select", "ignore", "exclude", "openers", "certainty", "baseline", "jobs")


@dataclass(frozen=True)
class Settings:
    """What the project says; ``root`` is the folder of its pyproject.toml."""

    config: Config
    baseline: Path | None = None
    jobs: int | None = None


def nearest_pyproject(start: Path) -> Path | None:
    """The pyproject.toml in ``start`` or the nearest folder above it that has one."""
    folder = start.resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / "pyproject.toml").is_file():
            return candidate / "pyproject.toml"
    return None


def read(path: Path | None) -> Settings:
    """The settings of that pyproject.toml; the defaults where there is none.

    Raises ``ConfigError`` on a key that means nothing, so that a misspelt one is not silently a default.
    """
    if path is None:
        return Settings(Config())
    try:
        table: Any = tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    for key in ("tool", "tenure", "check"):
        table = table.get(key, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{path}: {key} should be a table, as in [tool.tenure.check]; it is {table!r}")
    origin = f"{path}, [tool.tenure.check]"
    unknown = sorted(table.keys() - set(_KEYS))
    if unknown:
        raise ConfigError(f"{origin}: {unknown[0]} is not a setting; there are {', '.join(_KEYS)}")
    config = Config.from_table(table, origin)
    _must_be_rules((*config.select, *config.ignore), origin)
    return Settings(config, _baseline(table, path.parent, origin), _jobs(table, origin))


def _baseline(table: Mapping[str, Any], folder: Path, origin: str) -> Path | None:
    value = table.get("baseline")
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise ConfigError(f"{origin}: baseline should be the name of a file, it is {value!r}")
    return None if value is None else folder / value


def _jobs(table: Mapping[str, Any], origin: str) -> int | None:
    value = table.get("jobs")
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise ConfigError(f"{origin}: jobs should be a whole number from 1, it is {value!r}")
    return value


def chosen(config: Config, select: Sequence[str], ignore: Sequence[str], certainty: str | None) -> Config:
    """``config`` with what the command line says in its place."""
    _must_be_rules((*select, *ignore), "the command line")
    changes: dict[str, Any] = {}
    if select:
        changes["select"] = frozenset(select)
    if ignore:
        changes["ignore"] = config.ignore | frozenset(ignore)
    if certainty:
        changes["certainty"] = certainty
    return dataclasses.replace(config, **changes)


def _must_be_rules(words: Iterable[str], origin: str) -> None:
    for word in sorted(words):
        if not any(word == rule.name or rule.code.startswith(word) for rule in RULES):
            names = ", ".join(rule.name for rule in RULES)
            raise ConfigError(
                f"{origin}: {word!r} is neither a rule nor the beginning of a code; the rules are {names}"
            )


def default_cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Where results are kept between runs: the user's cache folder, so that no project has to ignore one more."""
    home = environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "tenure" / "check"
