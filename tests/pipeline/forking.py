"""A process that runs a whole server under load and forks, in one of several ways; says what became of both."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import redis

from tenure.pipeline.assembly import Opening, serve
from tenure.pipeline.settings import Eyes, Front, Keep, Seal, Settings

PARENT = os.getpid()


class Conduct:
    """Loads the server, forks, and looks at both until the child is gone."""

    def __init__(self, way: str, directory: Path) -> None:
        self.way, self.directory = way, directory
        self.acknowledged: list[str] = []
        self.found: dict[str, object] = {}
        self.port = 0
        self.stop = threading.Event()
        self.child = 0
        self.forked = threading.Event()
        self.threads: list[threading.Thread] = []

    def opened(self, opening: Opening) -> None:
        """The server listens."""
        self.port = int(opening.where[0].rpartition(":")[2])
        if self.way == "exits in the loop":
            asyncio.get_running_loop().call_later(0.3, self.fork_in_loop)
        self.threads = [threading.Thread(target=work) for work in (self.load, self.load, self.conduct)]
        for thread in self.threads:
            thread.start()

    def load(self) -> None:
        """Events until told to stop."""
        with redis.Redis(port=self.port, socket_timeout=20) as client:
            while not self.stop.is_set():
                pipeline = client.pipeline(transaction=False)
                for _ in range(20):
                    pipeline.xadd("ev", {"tenant": "t", "v": "1", "secret": "hush"})
                self.acknowledged += [answer.decode() for answer in pipeline.execute()]

    def fork_in_loop(self) -> None:
        """As nobody should."""
        self.child = os.fork()
        if not self.child:
            sys.exit(0)
        self.forked.set()

    def more(self) -> None:
        """Wait until the server has taken more."""
        enough, deadline = len(self.acknowledged) + 200, time.monotonic() + 30
        while len(self.acknowledged) < enough and time.monotonic() < deadline:
            time.sleep(0.01)
        self.found["goes on"] = len(self.acknowledged) >= enough

    def conduct(self) -> None:
        """Everything in its order."""
        self.more()
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as before:
            before.sendall(b"*1\r\n$4\r\nPING\r\n")
            before.recv(7)
            if self.way == "exits in the loop":
                self.forked.wait(20)
            else:
                self.child = os.fork()
                if not self.child:
                    if self.way != "returns":
                        self.live()
                    return
            if self.way == "outlives":
                self.found["child"] = self.child
                self.end()
                return
            if self.way == "lives on":
                before.sendall(b"*1\r\n$4\r\nQUIT\r\n")
                self.found["connection ends"] = before.makefile("rb").read() == b"+OK\r\n"
                os.kill(self.child, signal.SIGTERM)
        self.found["child"] = os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])
        self.more()
        self.end()

    @staticmethod
    def live() -> None:
        """As a worker would."""
        null = os.open(os.devnull, os.O_RDWR)
        for number in (1, 2):
            os.dup2(null, number)
        time.sleep(120)

    def end(self) -> None:
        """The server stops."""
        self.found |= {
            "port": self.port,
            "socket there": (self.directory / "door").exists(),
            "books there": (self.directory / "data" / "books.json").exists(),
        }
        self.stop.set()
        for thread in self.threads[:2]:
            thread.join()
        with redis.Redis(port=self.port) as client:
            client.shutdown()


def main(way: str, directory: Path) -> None:
    """Serve, and tell."""
    (directory / "key").write_bytes(bytes(range(32)))
    (directory / "key").chmod(0o600)
    front, seal = Front(port=0, unix=str(directory / "door")), Seal(str(directory / "key"))
    keep = Keep(str(directory / "data"), block_rows=64, segment_bytes=100_000, commit_seconds=0.1)
    conduct = Conduct(way, directory)
    books = serve(Settings(front, seal=seal, keep=keep, eyes=Eyes(0, str(directory / "log"))), conduct.opened)
    assert os.getpid() == PARENT
    conduct.threads[2].join()
    told = {"found": conduct.found, "books": books, "acknowledged": conduct.acknowledged}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
