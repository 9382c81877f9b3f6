"""Where the server listens: TCP, a Unix socket, or both; and where it refuses to."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import ssl
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tenure.pipeline.settings import Front, SettingsError

__all__ = ["Doors", "protected"]

#: Connections that may wait to be let in, as in Redis.
BACKLOG: Final = 511


@dataclass
class Doors:
    """The open ones."""

    front: Front
    servers: list[asyncio.Server] = field(default_factory=list)
    owner: int = field(default_factory=os.getpid)

    @property
    def descriptors(self) -> list[int]:
        """Those of the sockets that listen."""
        return [bound.fileno() for server in self.servers for bound in server.sockets]

    async def open(self, connection: Callable[[], asyncio.Protocol]) -> list[str]:
        """Begin to listen; where, as a person would write it."""
        protected(self.front)
        loop, where = asyncio.get_running_loop(), list[str]()
        if self.front.tcp:
            context = _tls(self.front)
            # A handshake is given as long as a request; until then it holds a descriptor and no place.
            patience = (self.front.stall_timeout or None) if context else None
            for bound in _tcp_sockets(self.front):
                self.servers.append(
                    await loop.create_server(
                        connection, sock=bound, ssl=context, backlog=BACKLOG, ssl_handshake_timeout=patience
                    )
                )
                name = bound.getsockname()
                where.append(f"{name[0]}:{name[1]}")
        if self.front.unix:
            self.servers.append(await loop.create_unix_server(connection, sock=_unix_socket(Path(self.front.unix))))
            where.append(self.front.unix)
        return where

    def close(self) -> None:
        """Listen no more; connections that are there stay. In a forked child the socket's name is not its own."""
        for server in self.servers:
            server.close()
        if self.front.unix and self.servers and os.getpid() == self.owner:
            Path(self.front.unix).unlink(missing_ok=True)


def protected(front: Front) -> None:
    """Refuse to be reachable from elsewhere without a password and TLS, unless told so in so many words."""
    missing = [
        name
        for name, there in (("password_file", front.password_file), ("tls_certificate", front.tls_certificate))
        if not there
    ]
    if front.tcp and missing and not front.expose_without_protection and not _is_loopback(front.host):
        raise SettingsError(
            f"[front] host is {front.host}, which others can reach, and {' and '.join(missing)} not set. "
            "Set both, listen on 127.0.0.1, or say expose_without_protection = true."
        )


def _is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tls(front: Front) -> ssl.SSLContext | None:
    """The TLS context, if there is a certificate."""
    if not front.tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(front.tls_certificate, front.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"[front] tls_certificate {front.tls_certificate}: {error}") from error
    return context


def _tcp_sockets(front: Front) -> list[socket.socket]:
    """A socket for each address of the host.

    They are bound here: the event loop would look the host up in libuv's threads, and libuv crashes at the end of a
    forked child, as it waits there for threads that only the parent has.
    """
    with contextlib.ExitStack() as undo:
        made: list[socket.socket] = []
        try:
            found = socket.getaddrinfo(front.host or None, front.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, _, _, _, address in dict.fromkeys(found):
                made.append(undo.enter_context(socket.create_server(address, family=family, backlog=BACKLOG)))
        except (OSError, OverflowError, ValueError) as error:
            why = (getattr(error, "strerror", None) or str(error)).partition(" (while ")[0]
            raise SettingsError(f"[front] cannot listen on host {front.host}, port {front.port}: {why}") from error
        undo.pop_all()
        return made


def _unix_socket(path: Path) -> socket.socket:
    """A Unix socket that only its owner can use, from the first moment it is there."""
    if path.exists():
        if not stat.S_ISSOCK(path.stat().st_mode) or _answers(path):
            raise SettingsError(f"[front] unix: {path} is there already and in use")
        path.unlink()
    made = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        made.bind(str(path))
    except OSError as error:
        made.close()
        raise SettingsError(f"[front] unix: {path}: {error.strerror or error}") from error
    finally:
        os.umask(before)
    return made


def _answers(path: Path) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
