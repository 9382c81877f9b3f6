"""A server has a descriptor for every connection it lets in, and its own besides; or says which limit is in the way."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from typing import Any

from tenure.pipeline.commands import Commands
from tenure.pipeline.descriptors import OWN
from tenure.pipeline.intake import Conversation

ASKED = """
import resource, sys
from tenure.pipeline.descriptors import have_descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
have_descriptors(int(sys.argv[3]), guarded=sys.argv[4] == "guarded")
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


def asked(soft: int, hard: int, connections: int, how: str = "plain") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", ASKED, *map(str, (soft, hard, connections)), how]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_limit_is_raised_as_far_as_connections_need_it() -> None:
    assert asked(64, 1000, 100).stdout == f"{100 + OWN}\n"
    assert asked(500, 1000, 100).stdout == "500\n"


def test_where_strangers_may_shake_hands_it_is_raised_as_far_as_it_can() -> None:
    assert asked(64, 1000, 100, "guarded").stdout == "1000\n"


def test_connections_there_can_be_no_descriptors_for_are_a_mistake_in_the_settings() -> None:
    assert asked(64, 1000, 1000).stderr.splitlines()[-1] == (
        f"tenure.pipeline.settings.SettingsError: [front] max_connections is 1000, for which {1000 + OWN} files have "
        "to be open, and this process may open 1000. Raise that limit (`ulimit -Hn`, LimitNOFILE), "
        f"or set max_connections to {1000 - OWN} or less."
    )


def test_a_full_house_leaves_the_log_enough(start: Any) -> None:
    settings = '[front]\nmax_connections = 150\n[keep]\ndirectory = "data"\nsegment_bytes = 1\n'
    server = start(settings, limit="ulimit -Sn 64")
    with contextlib.ExitStack() as house:
        for _ in range(149):
            one = house.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            one.sendall(b"PING\r\n")
            assert one.recv(7) == b"+PONG\r\n"
        with server.client() as client:
            for _ in range(3):
                client.xadd("ev", {"tenant": "t", "v": 1})
                while client.info()["waiting_rows"]:
                    pass
            assert client.info()["store_failures"] == 0
    assert server.stop() == 0


def test_numbers_that_cannot_be_had_stop_nobody() -> None:
    def info() -> dict[str, int | float]:
        raise OSError(24, "Too many open files")

    commands = Commands(length=lambda stream: 0, info=info, shutdown=lambda: None)
    assert commands(Conversation(), [b"INFO"]) == b"-ERR the numbers cannot be had: Too many open files\r\n"
