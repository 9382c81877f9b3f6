"""What an operator may set, as one frozen value read from a TOML file; every entry has a default that works."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

__all__ = [
    "Eyes",
    "FieldNames",
    "Front",
    "Keep",
    "Seal",
    "Settings",
    "SettingsError",
    "WindowSizes",
    "checked",
    "load",
    "parsed",
    "shown",
]

Fsync = Literal["always", "everysec", "no"]
FSYNC: Final = ("always", "everysec", "no")
#: What the log keeps of every event besides its values (`tenure.pipeline.block`).
COLUMNS: Final = frozenset({"ms", "seq", "time", "epoch", "key", "counter", "stream", "tenant", "rest", "sealed"})


#: The least and the most each number may be. A column of a block has to stay below 2 GiB, whatever comes together.
BOUNDS: Final = {
    ("front", "port"): (0, 65_535),
    ("front", "max_connections"): (1, 1_000_000),
    ("front", "max_bulk"): (1, 1 << 29),
    ("front", "max_args"): (1, 1 << 20),
    ("front", "max_request"): (1, 1 << 29),
    ("front", "idle_timeout"): (0, 1e9),
    ("front", "stall_timeout"): (0, 1e9),
    ("fields", "max_streams"): (1, 1 << 24),
    ("seal", "epoch_seconds"): (0.001, 1e9),
    ("seal", "max_keys"): (1, 1 << 24),
    ("seal", "records_per_key"): (1, 1 << 32),
    ("windows", "width_seconds"): (0.001, 1e9),
    ("windows", "lateness_seconds"): (0, 1e9),
    ("windows", "ahead_seconds"): (0, 1e11),
    ("windows", "max_open"): (1, 1 << 32),
    ("keep", "block_rows"): (1, 1 << 20),
    ("keep", "block_bytes"): (1, 1 << 28),
    ("keep", "segment_bytes"): (1, 1 << 40),
    ("keep", "commit_seconds"): (0.01, 86_400),
    ("eyes", "port"): (-1, 65_535),
}


class SettingsError(ValueError):
    """A setting that cannot be used: says which one, what it is, and what would do."""


@dataclass(frozen=True)
class Front:
    """Where requests come in, and how much of anything one of them may ask for."""

    host: str = "127.0.0.1"
    port: int = 6390
    unix: str = ""
    #: Listen on TCP as well; without it only the Unix socket is opened.
    tcp: bool = True
    password_file: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    #: Allows an address other than loopback without both a password and TLS.
    expose_without_protection: bool = False
    max_connections: int = 1000
    max_bulk: int = 1 << 20
    max_args: int = 1024
    max_request: int = 4 << 20
    #: Seconds a connection may say nothing, and seconds an unfinished request or an unread reply may take.
    idle_timeout: float = 300.0
    stall_timeout: float = 30.0


@dataclass(frozen=True)
class FieldNames:
    """Which field of an event is what; a field named nowhere is kept in the open, as it is."""

    tenant: str = "tenant"
    #: Milliseconds since 1970; an event without it happened when its id says.
    time: str = "time"
    values: tuple[str, ...] = ("v",)
    secret: tuple[str, ...] = ("secret",)
    #: The field whose distinct values are counted; empty: the first secret one.
    distinct: str = ""
    max_streams: int = 10_000

    @property
    def counted(self) -> str:
        """The field whose distinct values are counted, or nothing."""
        return self.distinct or (self.secret[0] if self.secret else "")


@dataclass(frozen=True)
class Seal:
    """Whose key seals, for how long, and with which libcrypto."""

    key_file: str = "tenure.key"
    libcrypto: str = ""
    epoch_seconds: float = 3600.0
    max_keys: int = 4096
    #: Never more than 2^32: beyond that AES-GCM under one key is no longer safe.
    records_per_key: int = 1 << 32


@dataclass(frozen=True)
class WindowSizes:
    """How long a window is, and how long it waits for events that come late."""

    width_seconds: float = 60.0
    lateness_seconds: float = 10.0
    #: How far an event may be ahead of the server's clock.
    ahead_seconds: float = 86_400.0
    #: How many windows may be open, each about 2.5 KB: what would need one more is counted, and in no window.
    max_open: int = 200_000

    @property
    def width(self) -> int:
        """The width in milliseconds."""
        return round(self.width_seconds * 1000)

    @property
    def lateness(self) -> int:
        """The allowed lateness in milliseconds."""
        return round(self.lateness_seconds * 1000)

    @property
    def ahead(self) -> int:
        """How far ahead an event may be, in milliseconds."""
        return round(self.ahead_seconds * 1000)


@dataclass(frozen=True)
class Keep:
    """Where events are kept, and when they are forced onto the disk."""

    directory: str = "tenure-data"
    fsync: Fsync = "everysec"
    block_rows: int = 4096
    block_bytes: int = 4 << 20
    segment_bytes: int = 256 << 20
    #: Seconds between two commits of closed windows to the results.
    commit_seconds: float = 5.0


@dataclass(frozen=True)
class Eyes:
    """What can be seen of it while it runs."""

    #: Port on 127.0.0.1 for the dashboard, the numbers and the metrics; 0: any free one; -1: none.
    port: int = -1
    #: File the log is appended to; ``-``: standard error; empty: no log.
    log: str = ""


@dataclass(frozen=True)
class Settings:
    """All of them, one part for each table of the file."""

    front: Front = field(default_factory=Front)
    fields: FieldNames = field(default_factory=FieldNames)
    seal: Seal = field(default_factory=Seal)
    windows: WindowSizes = field(default_factory=WindowSizes)
    keep: Keep = field(default_factory=Keep)
    eyes: Eyes = field(default_factory=Eyes)

    @property
    def directory(self) -> Path:
        """Where everything that outlives the process is kept."""
        return Path(self.keep.directory)


def load(path: Path) -> Settings:
    """The settings in a TOML file; paths in it are relative to the file."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        why = f"cannot be read: {error.strerror}" if isinstance(error, OSError) else f"cannot be read as TOML: {error}"
        raise SettingsError(f"{path}: {why}") from error
    return _anchored(parsed(tables, str(path)), path.parent)


def parsed(tables: Mapping[str, Any], origin: str) -> Settings:
    """Settings from nested tables; a name that is not one is an error, never ignored."""
    settings = Settings()
    parts = {part.name: getattr(settings, part.name) for part in fields(settings)}
    for name, table in tables.items():
        if name not in parts:
            raise SettingsError(f"{origin}: no table [{name}]; there are {', '.join(f'[{n}]' for n in parts)}")
        if not isinstance(table, Mapping):
            raise SettingsError(f"{origin}: {name} is a table, write [{name}]")
        parts[name] = _filled(parts[name], table, f"{origin}: [{name}]")
    return checked(Settings(**parts), origin)


def shown(settings: Settings) -> str:
    """The settings as they would stand in a file."""
    tables = []
    for part in fields(settings):
        table = getattr(settings, part.name)
        lines = [f"{entry.name} = {json.dumps(getattr(table, entry.name))}" for entry in fields(table)]
        tables.append("\n".join([f"[{part.name}]", *lines]))
    return "\n\n".join(tables) + "\n"


def _filled(part: Any, table: Mapping[str, Any], origin: str) -> Any:
    """One part, with what its table sets."""
    known = {entry.name: getattr(part, entry.name) for entry in fields(part)}
    changes = {}
    for name, value in table.items():
        if name not in known:
            raise SettingsError(f"{origin} has no setting {name!r}; it has {', '.join(known)}")
        changes[name] = _fitting(value, known[name], f"{origin} {name}")
    return replace(part, **changes)


def _fitting(value: Any, default: Any, origin: str) -> Any:
    """The value, if it is of its default's kind."""
    if isinstance(default, tuple) and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        wanted = "a list of names" if isinstance(default, tuple) else type(default).__name__
        raise SettingsError(f"{origin} is {value!r}, it should be {wanted} (for instance {default!r})")
    return value


def checked(settings: Settings, origin: str) -> Settings:
    """The settings, if they can be meant."""
    doubled = _doubled(settings.fields)
    problems = {
        f"[keep] fsync is {settings.keep.fsync!r}, it should be one of {', '.join(FSYNC)}": (
            settings.keep.fsync not in FSYNC
        ),
        "[fields] tenant is empty, it should be the name of a field": not settings.fields.tenant,
        "[fields] values should name at most 8 fields": len(settings.fields.values) > 8,
        f"[fields] a field can have one meaning only: {', '.join(doubled)}": bool(doubled),
        f"[fields] values cannot be named as a column of the log is: {', '.join(sorted(COLUMNS))}": bool(
            COLUMNS & set(settings.fields.values)
        ),
        "[fields] distinct should be a secret field or one with no other meaning": settings.fields.distinct
        in {settings.fields.tenant, settings.fields.time or None, *settings.fields.values},
        "[front] tls_certificate and tls_key come together": bool(settings.front.tls_certificate)
        != bool(settings.front.tls_key),
        "[front] tcp is off and unix is empty: there is nowhere to listen": not settings.front.tcp
        and not settings.front.unix,
    }
    wrong = [sentence for sentence, broken in problems.items() if broken]
    for (part, name), (least, most) in BOUNDS.items():
        value = getattr(getattr(settings, part), name)
        if not least <= value <= most:  # so that a NaN is wrong
            wrong.append(f"[{part}] {name} is {value}, it should be from {least} to {most}")
    if wrong:
        raise SettingsError(f"{origin}: {'; '.join(wrong)}")
    return settings


def _doubled(names: FieldNames) -> list[str]:
    """The fields that are given two meanings."""
    meanings = [name for name in (names.tenant, names.time, *names.values, *names.secret) if name]
    return sorted({name for name in meanings if meanings.count(name) > 1})


def _anchored(settings: Settings, base: Path) -> Settings:
    """The settings with every path made absolute, seen from ``base``."""

    def seen(path: str) -> str:
        return str((base / path).absolute()) if path else path

    front = replace(
        settings.front,
        unix=seen(settings.front.unix),
        password_file=seen(settings.front.password_file),
        tls_certificate=seen(settings.front.tls_certificate),
        tls_key=seen(settings.front.tls_key),
    )
    return replace(
        settings,
        front=front,
        seal=replace(settings.seal, key_file=seen(settings.seal.key_file)),
        keep=replace(settings.keep, directory=seen(settings.keep.directory)),
        eyes=replace(settings.eyes, log=settings.eyes.log if settings.eyes.log == "-" else seen(settings.eyes.log)),
    )
