"""What the tests of the pipeline share: a master key that is always the same, and an intake of each kind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

import tenure
from tenure.pipeline.commands import Commands
from tenure.pipeline.event import Plan
from tenure.pipeline.intake import Intake, Order, PythonIntake
from tenure.pipeline.native import NativeIntake
from tenure.pipeline.opening import Opener
from tenure.pipeline.resp import Limits
from tenure.pipeline.seal.keyring import Keyring
from tenure.pipeline.seal.libcrypto import Libcrypto
from tenure.pipeline.settings import FieldNames

NAMES = FieldNames(values=("v", "w"), secret=("secret", "pin"))

Make = Callable[..., Intake]


@pytest.fixture(scope="session")
def libcrypto() -> Libcrypto:
    """The machine's."""
    return Libcrypto()


@pytest.fixture
def master() -> Iterator[tenure.SecretBuffer]:
    """A master key everybody knows."""
    with tenure.SecretBuffer(32) as secret:
        with secret.lease() as view:
            view[:] = bytes(range(32))
        yield secret


@pytest.fixture
def keyring(libcrypto: Libcrypto, master: tenure.SecretBuffer) -> Iterator[Keyring]:
    """Its keys in a process whose salt is known."""
    ring = Keyring.of(master, libcrypto, NAMES.values, salt=b"s" * 32)
    yield ring
    ring.close()


@pytest.fixture
def opener(libcrypto: Libcrypto, master: tenure.SecretBuffer) -> Iterator[Opener]:
    """Opens what was sealed under that master key."""
    with Opener(libcrypto, master) as made:
        yield made


@pytest.fixture(params=["python", "native"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which intake."""
    if request.param == "native":
        pytest.importorskip("tenure.pipeline._native", reason="the native intake was not built")
    return str(request.param)


@pytest.fixture
def make(kind: str, keyring: Keyring) -> Make:
    """Makes intakes of one kind, at a quarter to one in the morning of the year 2026."""

    def made(**changes: object) -> Intake:
        order = order_for(keyring, **changes)
        return NativeIntake(order) if kind == "native" else PythonIntake(order)

    return made


def order_for(keyring: Keyring, **changes: object) -> Order:
    """An order for an intake; ``changes`` to it by name."""
    commands = Commands(length=lambda stream: 0, info=dict, shutdown=lambda: None)
    given = {
        "plan": Plan(NAMES),
        "limits": Limits(bulk=4096, args=64, request=8192),
        "keyring": keyring,
        "clock": lambda: 1_767_228_300_000,
        "answer": commands,
    }
    return Order(**{**given, **changes})  # type: ignore[arg-type]


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A directory for a pipeline."""
    return tmp_path


@dataclass
class Running:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    config: Path
    port: int
    said: list[str]

    @property
    def directory(self) -> Path:
        """Where it keeps things."""
        return self.config.parent / "data"

    def client(self) -> redis.Redis:
        """A client as anybody has it."""
        return redis.Redis(port=self.port, socket_timeout=20)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status

    def books(self) -> dict[str, Any]:
        """What it wrote down at the end."""
        read: dict[str, Any] = json.loads((self.directory / "books.json").read_text())
        return read


def begin(directory: Path, settings: str = "", port: int = 0, limit: str = "") -> Running:
    """Start a server in a directory, with a key, settings and a place for its data; ``limit`` is said to the shell."""
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "tenure.toml"
    config.write_text(settings if "[keep]" in settings else settings + "\n[keep]\n" + KEEP)
    if not (directory / "tenure.key").exists():
        (directory / "tenure.key").write_bytes(bytes(range(32)))
        (directory / "tenure.key").chmod(0o600)
    command = [sys.executable, "-m", "tenure", "pipeline", "run", "--config", str(config), "--port", str(port)]
    if limit:
        command = ["sh", "-c", f'{limit}; exec "$@"', "sh", *command]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.rstrip())
        if line.startswith("listening on "):
            return Running(process, config, int(line.split(":")[1].split(",")[0]), said)
    process.stdout.close()
    raise AssertionError(f"the server ended with {process.wait()}: {said}")


KEEP = 'directory = "data"\n'


@pytest.fixture
def start(here: Path) -> Iterator[Callable[..., Running]]:
    """Starts servers, and ends them."""
    running: list[Running] = []

    def started(settings: str = "", directory: Path | None = None, port: int = 0, limit: str = "") -> Running:
        running.append(begin(directory or here, settings, port, limit))
        return running[-1]

    yield started
    for server in running:
        server.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for the tests of a module that leave it as it was."""
    running = begin(tmp_path_factory.mktemp("server"))
    yield running
    running.stop(signal.SIGKILL)
