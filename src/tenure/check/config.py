"""What a project says to the checker: rules to use, files to leave out, openers of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tenure.check.finding import CERTAINTIES

__all__ = ["Config", "ConfigError"]

#: Folders of other people's code that was copied in: what is found there is not mended there.
_VENDORED: Final = ("_vendor", "_vendored", "vendored", "third_party")
#: Folders nobody wants checked unless they are named on the command line.
_NEVER_OURS: Final = (
    *(".git", ".hg", ".tox", ".nox", ".venv", "venv", "__pycache__", "node_modules", ".eggs", "build"),
    *_VENDORED,
)


class ConfigError(ValueError):
    """``[tool.tenure.check]`` says something that cannot be meant; the message says what, where and what fits."""


@dataclass(frozen=True)
class Config:
    """The settings of one run; an empty ``select`` means every rule."""

    select: frozenset[str] = frozenset()  #: names or codes of rules; a code's prefix stands for all that begin with it
    ignore: frozenset[str] = frozenset()
    exclude: tuple[str, ...] = _NEVER_OURS  #: names of folders or files, or glob patterns, that are not walked into
    openers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  #: dotted name -> the methods that close it
    certainty: str = "likely"  #: the least sure finding that is reported

    @classmethod
    def from_table(cls, table: Mapping[str, Any], origin: str) -> Config:
        """Take the settings from a parsed table; keys of the command line's own are left to it."""
        certainty = table.get("certainty", "likely")
        if certainty not in CERTAINTIES:
            raise ConfigError(f"{origin}: certainty is {certainty!r}; it may be {', '.join(CERTAINTIES)}")
        return cls(
            select=frozenset(_words(table, "select", origin)),
            ignore=frozenset(_words(table, "ignore", origin)),
            exclude=(*_NEVER_OURS, *_words(table, "exclude", origin)),
            openers=_openers(table.get("openers", {}), origin),
            certainty=certainty,
        )

    def wants(self, name: str, code: str) -> bool:
        """Whether the rule of that name and code is in use."""
        chosen = not self.select or any(word == name or code.startswith(word) for word in self.select)
        return chosen and not any(word == name or code.startswith(word) for word in self.ignore)


def _words(table: Mapping[str, Any], key: str, origin: str) -> Sequence[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ConfigError(f"{origin}: {key} should be a list of strings, it is {value!r}")
    if not all(word.strip() for word in value):
        raise ConfigError(f"{origin}: {key} has an empty word in it: {value!r}")
    return value


def _openers(value: object, origin: str) -> dict[str, tuple[str, ...]]:
    """``{"lib.connect" = "close"}`` or ``{"lib.connect" = ["close", "abort"]}``."""
    if not isinstance(value, dict):
        raise ConfigError(f"{origin}: openers should be a table of dotted names, it is {value!r}")
    openers: dict[str, tuple[str, ...]] = {}
    for name, closers in value.items():
        names = [closers] if isinstance(closers, str) else closers
        if not all(part.isidentifier() for part in name.split(".")):
            raise ConfigError(f"{origin}: opener {name!r} should be a dotted name, such as 'camera.acquire'")
        if not isinstance(names, list) or not names or not all(isinstance(word, str) for word in names):
            raise ConfigError(f"{origin}: opener {name!r} should name the methods that close it, it says {closers!r}")
        openers[name] = tuple(names)
    return openers
