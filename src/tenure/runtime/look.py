"""Looks at the ledger of another process, which shows it by ``tenure.runtime.inspect``."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any, Final

from tenure.errors import NotToBeSeen
from tenure.runtime.rendezvous import pids, socket_of

__all__ = ["NotToBeSeen", "look", "visible"]

#: How long an answer may take to come, in seconds; the other process may be busy.
PATIENCE: Final = 30.0


def look(pid: int) -> dict[str, Any]:
    """The ledger of process ``pid``: ``counts``, and ``lines`` by site and kind with their growth since the last look.

    Raises ``NotToBeSeen``, which says why: no such process, another user's, or one that does not show its ledger.
    """
    _refuse_if_hopeless(pid)
    path = socket_of(pid)
    try:
        answer = _ask(path)
    except OSError as error:
        raise NotToBeSeen(pid=pid, why="does not show its ledger", advice=_ADVICE) from error
    if not answer:  # turned away
        raise NotToBeSeen(pid=pid, why="belongs to another user", advice="Ask as that user.")
    return dict(json.loads(answer))


_ADVICE: Final = "Start it with TENURE_INSPECT=1, or call tenure.inspect.serve() in it."


def _refuse_if_hopeless(pid: int) -> None:
    try:
        owner = Path(f"/proc/{pid}").stat().st_uid
    except FileNotFoundError:
        raise NotToBeSeen(pid=pid, why="does not exist", advice="`tenure ledger` lists those to be seen.") from None
    if owner != os.geteuid():
        raise NotToBeSeen(pid=pid, why="belongs to another user", advice="Ask as that user.")


def _ask(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(PATIENCE)
        asking.connect(str(path))
        with asking.makefile("rb") as answer:
            return answer.read()


def visible() -> list[dict[str, Any]]:
    """The ledgers of all processes of this user that show theirs."""
    seen = []
    for pid in pids():
        try:
            seen.append(look(pid))
        except NotToBeSeen:  # it ended without tidying up
            continue
    return seen
