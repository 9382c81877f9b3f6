"""What a program or its environment may choose: the leak policy, the sites, the close policy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, NamedTuple

from tenure._impl import chosen
from tenure.errors import SettingError

__all__ = ["LEAK_POLICIES", "LeakPolicy", "Settings", "configure", "settings"]


class LeakPolicy(NamedTuple):
    """What the safety net does with an abandoned handle."""

    reports: bool
    releases: bool
    raises: bool


LEAK_POLICIES: Final[dict[str, LeakPolicy]] = {
    "report": LeakPolicy(reports=True, releases=True, raises=False),
    "report-only": LeakPolicy(reports=True, releases=False, raises=False),
    "raise": LeakPolicy(reports=True, releases=True, raises=True),
    "off": LeakPolicy(reports=False, releases=True, raises=False),
}

#: Name of a setting, its environment variable, its default, and what it may be (None: a whole number).
_KNOWN: Final[dict[str, tuple[str, str | int, tuple[str, ...] | None]]] = {
    "leak": ("TENURE_LEAK", "report", tuple(LEAK_POLICIES)),
    "close": ("TENURE_CLOSE", "finish", ("finish", "refuse")),
    "double_close": ("TENURE_DOUBLE_CLOSE", "ignore", ("ignore", "error")),
    "secrets": ("TENURE_SECRETS", "warn", ("warn", "strict")),
    "sites": ("TENURE_SITES", 3, None),
    "sample": ("TENURE_SAMPLE", 1, None),
}


_MOST: Final = 2**31 - 1


class Settings(NamedTuple):
    """Every setting, as ``configure`` left it."""

    leak: str
    close: str
    double_close: str
    secrets: str
    sites: int
    sample: int

    @property
    def policy(self) -> LeakPolicy:
        """The leak policy, spelled out."""
        return LEAK_POLICIES[self.leak]


def _checked(name: str, value: object, origin: str) -> str | int:
    allowed = _KNOWN[name][2]
    least = 1 if name == "sample" else 0
    if allowed is not None:
        if value in allowed:
            return str(value)
    elif str(value).isdecimal() and least <= int(str(value)) <= _MOST:
        return int(str(value))
    told = ", ".join(map(repr, allowed)) if allowed else f"a whole number from {least} to {_MOST}"
    raise SettingError(setting=name, value=value, origin=origin, allowed=told)


def _from(environment: Mapping[str, str]) -> Settings:
    return Settings(
        **{
            name: _checked(name, environment.get(variable) or default, variable)
            for name, (variable, default, _) in _KNOWN.items()
        }  # type: ignore[arg-type]
    )


def _apply(new: Settings) -> None:
    global _current
    chosen.configure(
        depth=new.sites, sample=new.sample, refuse=new.close == "refuse", strict=new.double_close == "error"
    )
    _current = new


def settings() -> Settings:
    """The settings in force."""
    return _current


def configure(
    *,
    leak: str | None = None,
    close: str | None = None,
    double_close: str | None = None,
    secrets: str | None = None,
    sites: int | None = None,
    sample: int | None = None,
) -> Settings:
    """Change what is given, leave the rest, and return the settings that were in force before.

    * ``leak``: what is done with a handle nobody holds: ``"report"`` (and release; the default), ``"report-only"``,
      ``"raise"`` (report, release, and raise from the next ``drain()`` or ``ledger.assert_empty()``), ``"off"``
      (release without a word).
    * ``close``: under a lease, ``"finish"`` lets the last lease release, ``"refuse"`` raises ``LeasedHandle``.
    * ``double_close``: ``"ignore"`` a second close, or make it an ``"error"``.
    * ``secrets``: where memory for secrets cannot be locked, ``"warn"``, or (``"strict"``) raise ``LockRefused``.
    * ``sites``: how many frames are kept of the line that opened a handle; 0 keeps none.
    * ``sample``: keep the site of every n-th handle only.

    Each has an environment variable: ``TENURE_LEAK``, ``TENURE_CLOSE``, ``TENURE_DOUBLE_CLOSE``, ``TENURE_SECRETS``,
    ``TENURE_SITES``, ``TENURE_SAMPLE``. Raises ``SettingError`` for a value it does not know, and then changes nothing.
    """
    given = {
        "leak": leak,
        "close": close,
        "double_close": double_close,
        "secrets": secrets,
        "sites": sites,
        "sample": sample,
    }
    wanted = {name: _checked(name, value, "configure()") for name, value in given.items() if value is not None}
    before = _current
    _apply(Settings(**{**before._asdict(), **wanted}))
    return before


_current: Settings
_apply(_from(os.environ))
