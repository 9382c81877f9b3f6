"""Where a running pipeline is and how to be let in, for every part of the command that talks to one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import redis

__all__ = ["add_arguments", "client_of"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where it is, and what shows that we may."""
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=6390)
    parser.add_argument("--unix", metavar="PATH", help="over this Unix socket")
    parser.add_argument("--password-file", type=Path, metavar="FILE", help="the password is in this file")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="speak TLS, and trust this certificate")


def client_of(args: argparse.Namespace, **more: Any) -> redis.Redis:
    """A client for that server."""
    import redis

    if args.password_file:
        more["password"] = args.password_file.read_text("utf-8").strip()
    if args.unix:
        return redis.Redis(unix_socket_path=args.unix, **more)
    if args.ca_file:
        more |= {"ssl": True, "ssl_ca_certs": str(args.ca_file)}
    return redis.Redis(host=args.host, port=args.port, **more)
