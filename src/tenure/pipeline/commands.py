"""Every command but ``XADD``, one function each, in one table: what Redis clients say around their work."""

from __future__ import annotations

import fnmatch
import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from tenure import __version__
from tenure.pipeline.intake import Conversation
from tenure.pipeline.resp import bulk, error, integer, replies

__all__ = ["COMMANDS", "Commands", "password_digest"]

OK: Final = b"+OK\r\n"
NO_AUTH: Final = b"-NOAUTH Authentication required.\r\n"
WRONG_PASSWORD: Final = b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"
#: What may be said before AUTH.
UNLOCKED: Final = frozenset({b"AUTH", b"HELLO", b"QUIT"})

Words = list[bytes]


def password_digest(password: bytes) -> bytes:
    """What is kept of the password."""
    return hashlib.sha256(password).digest()


@dataclass
class Commands:
    """Answers commands, with what it may ask the server for."""

    length: Callable[[bytes], int]
    info: Callable[[], dict[str, int | float]]
    shutdown: Callable[[], None]
    settings: dict[str, str] = field(default_factory=dict)
    #: Digest of the password; empty: none is needed.
    password: bytes = b""
    #: Which read from a socket is being worked on: what is asked many times in one of them is found out once.
    round: Callable[[], int] = lambda: -1
    told: tuple[int, bytes] = (-1, b"")

    def __call__(self, conversation: Conversation, args: Words) -> bytes:
        """The reply to a request whose first word is not XADD, or which was not let in yet."""
        name = args[0].upper()
        if not conversation.authenticated and name not in UNLOCKED:
            return NO_AUTH
        found = COMMANDS.get(name)
        if found is None:
            return error(f"ERR unknown command '{args[0][:64].decode('utf-8', 'backslashreplace')}'")
        least, most, run = found
        if not least <= len(args) <= most:
            return error(f"ERR wrong number of arguments for '{name.decode().lower()}' command")
        return run(self, conversation, args)


def _ping(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """PING [message]."""
    return bulk(args[1]) if len(args) == 2 else b"+PONG\r\n"


def _echo(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """ECHO message."""
    return bulk(args[1])


def _auth(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """AUTH [username] password."""
    if not server.password:
        return error("ERR AUTH is called without any password configured.")
    user = args[1] if len(args) == 3 else b"default"
    fits = hmac.compare_digest(password_digest(args[-1]), server.password)
    if user != b"default" or not fits:
        return WRONG_PASSWORD
    conversation.authenticated = True
    return OK


def _hello(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """HELLO [protocol [AUTH user password] [SETNAME name]]."""
    protocol = args[1] if len(args) > 1 else b"%d" % conversation.protocol
    if protocol not in (b"2", b"3"):
        return b"-NOPROTO unsupported protocol version\r\n"
    rest = args[2:]
    while rest:
        word = rest[0].upper()
        if word == b"AUTH" and len(rest) >= 3:
            refused = _auth(server, conversation, rest[:3])
            if refused != OK:
                return refused
            rest = rest[3:]
        elif word == b"SETNAME" and len(rest) >= 2:
            conversation.name, rest = rest[1], rest[2:]
        else:
            return error(f"ERR Syntax error in HELLO option '{rest[0][:64].decode('utf-8', 'backslashreplace')}'")
    if not conversation.authenticated:
        return error("NOAUTH HELLO must be called with the client already authenticated")
    conversation.protocol = int(protocol)
    return _mapping(
        conversation,
        {
            b"server": bulk(b"tenure"),
            b"version": bulk(__version__.encode()),
            b"proto": integer(conversation.protocol),
            b"id": integer(1),
            b"mode": bulk(b"standalone"),
            b"role": bulk(b"master"),
            b"modules": replies([]),
        },
    )


def _info(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """INFO [section]: every counter, in one section."""
    now = server.round()
    if now < 0 or server.told[0] != now:
        try:
            lines = [f"{name}:{value}" for name, value in server.info().items()]
        except OSError as lacking:  # the kernel's numbers are in files, and there may be no descriptor left
            return error(f"ERR the numbers cannot be had: {lacking.strerror}")
        head = ["# Server", "redis_version:7.0.0", f"tenure_version:{__version__}", "", "# Tenure"]
        server.told = now, bulk("\r\n".join([*head, *lines, ""]).encode())
    return server.told[1]


def _xlen(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """XLEN stream."""
    return integer(server.length(args[1]))


def _command(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """COMMAND [COUNT | DOCS …]: which commands there are."""
    word = args[1].upper() if len(args) > 1 else b""
    if word == b"COUNT":
        return integer(len(COMMANDS) + 1)
    if word == b"DOCS":
        return replies([])
    return _all_described()


@cache
def _all_described() -> bytes:
    """Every command as COMMAND shows it."""
    known = {b"XADD": (5, 0, None), **COMMANDS}
    return replies([_described(name, least, most) for name, (least, most, _) in known.items()])


def _described(name: bytes, least: int, most: int) -> bytes:
    """One command as COMMAND shows it: name, arity, flags, and no keys but those of streams."""
    arity = least if least == most else -least
    keyed = 1 if name.startswith(b"X") else 0
    return replies([bulk(name.lower()), integer(arity), replies([]), *[integer(keyed)] * 3])


def _client(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """CLIENT SETNAME | GETNAME | SETINFO | ID."""
    word = args[1].upper()
    if word == b"GETNAME":
        return bulk(conversation.name)
    if word == b"ID":
        return integer(1)
    if word == b"SETNAME" and len(args) == 3:
        conversation.name = args[2]
        return OK
    if word == b"SETINFO" and len(args) == 4:
        return OK
    return error(f"ERR unknown subcommand or wrong number of arguments for '{args[1][:64].decode('utf-8', 'replace')}'")


def _select(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """SELECT 0: there is one database."""
    return OK if args[1] == b"0" else error("ERR DB index is out of range")


def _config(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """CONFIG GET pattern …: what redis-benchmark wants to know."""
    if args[1].upper() != b"GET":
        return error("ERR only CONFIG GET is there: settings are read from the file when the server starts")
    patterns = [arg.decode("utf-8", "replace").lower() for arg in args[2:]]
    found = {
        name.encode(): bulk(value.encode())
        for name, value in server.settings.items()
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    }
    return _mapping(conversation, found)


def _leave(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """QUIT."""
    conversation.closing = True
    return OK


def _shutdown(server: Commands, conversation: Conversation, args: Words) -> bytes:
    """SHUTDOWN [NOSAVE | SAVE | NOW | FORCE]: drain, sync and stop. As Redis does, it says nothing and closes."""
    if any(word.upper() not in (b"NOSAVE", b"SAVE", b"NOW", b"FORCE") for word in args[1:]):
        return error("ERR syntax error")
    conversation.closing = True
    server.shutdown()
    return b""


def _mapping(conversation: Conversation, pairs: dict[bytes, bytes]) -> bytes:
    """A map, or in RESP2 an array of its names and values."""
    items: Iterable[bytes] = (part for name, value in pairs.items() for part in (bulk(name), value))
    body = b"".join(items)
    return b"%%%d\r\n%b" % (len(pairs), body) if conversation.protocol == 3 else b"*%d\r\n%b" % (2 * len(pairs), body)


#: Name: the least and the most words, and who answers.
COMMANDS: Final[dict[bytes, tuple[int, int, Callable[[Commands, Conversation, Words], bytes]]]] = {
    b"PING": (1, 2, _ping),
    b"ECHO": (2, 2, _echo),
    b"AUTH": (2, 3, _auth),
    b"HELLO": (1, 7, _hello),
    b"INFO": (1, 99, _info),
    b"XLEN": (2, 2, _xlen),
    b"COMMAND": (1, 99, _command),
    b"CLIENT": (2, 99, _client),
    b"SELECT": (2, 2, _select),
    b"CONFIG": (3, 99, _config),
    b"QUIT": (1, 99, _leave),
    b"SHUTDOWN": (1, 99, _shutdown),
}
