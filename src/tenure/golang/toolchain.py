"""A Go toolchain: where it is, which version it is, and how programs are built and run with it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tenure.golang.question import Ending
from tenure.golang.syntax import Litmus
from tenure.golang.writer import write

__all__ = ["BuildFailed", "Program", "Toolchain", "machine", "read_ending"]

#: How the runtime's own words for an end begin, and the model's words for it.
_ENDS = (
    (r"SetFinalizer: finalizer already set", "throw: finalizer already set"),
    (r"SetFinalizer: (first argument is nil|pointer not in)", "throw: finalizer of nil"),
    (r"getWeakHandle on invalid pointer", "throw: weak pointer to a package variable"),
    (r"cleanup will never run", "panic: cleanup would never run"),
    (r"AddCleanup: ptr is nil", "panic: cleanup of nil"),
    (r"Pinner.Pin: argument is not a Go pointer", "panic: pin of nil"),
    (r"nil pointer dereference", "panic: nil dereference"),
    (r"unlock of unlocked mutex", "throw: unlock of an unlocked mutex"),
    (r"all goroutines are asleep", "deadlock"),
    (r"panic: panic", "panic: panic"),
)


class BuildFailed(RuntimeError):
    """The Go compiler refused a program that was written from a litmus test."""


def machine() -> str:
    """This machine, as it stands beside what was seen on it."""
    return f"{platform.system().lower()}/{platform.machine()}, {os.cpu_count()} processors"


@dataclass(frozen=True, slots=True)
class Program:
    """A built Go program that holds several litmus tests."""

    path: Path

    def run(self, index: int, patience: int = 1) -> Ending:
        """Run the test with this index once."""
        command = [str(self.path), str(index), str(patience)]
        environment = {"PATH": "/usr/bin:/bin", "GOTRACEBACK": "none"}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=20 * patience, env=environment, check=False
            )
        except subprocess.TimeoutExpired as late:
            return read_ending((late.stdout or b"").decode(), "does not end", 0)
        return read_ending(done.stdout, done.stderr, done.returncode)


def read_ending(told: str, complained: str, status: int) -> Ending:
    """What a run of a written program told, as an end that can be compared with the model's."""
    log, freed, leaks, variables, how = [], [], [], [], ""
    for line in told.splitlines():
        kind, _, rest = line.partition(" ")
        words = rest.split()
        if kind == "leak":
            leaks.append(rest)
        elif how:
            continue
        elif kind == "event":
            log.append((words[0], int(words[1])))
        elif kind == "freed":
            freed.append((words[0], int(words[1])))
        elif kind == "global":
            variables.append((words[0], words[1]))
        elif kind == "end":
            how = rest
    how = how or _how(complained, status)
    if how != "exit":
        return Ending(tuple(log), (), (), how, ())
    return Ending(tuple(log), tuple(freed), tuple(variables), how, tuple(sorted(leaks)))


def _how(complained: str, status: int) -> str:
    for pattern, how in _ENDS:
        if re.search(pattern, complained):
            return how
    first = complained.strip().splitlines()[:1]
    return f"ended with status {status}: {first[0] if first else 'no message'}"


@dataclass(frozen=True, slots=True)
class Toolchain:
    """One version of Go."""

    go: Path
    version: str  #: like ``1.27.3``

    @classmethod
    def at(cls, path: str | os.PathLike[str]) -> Toolchain:
        """The toolchain whose ``go`` command is at ``path``, or on the PATH."""
        found = shutil.which(path)
        if found is None:
            raise FileNotFoundError(f"{path}: no go command there; `make go` installs some under build/go")
        go = Path(found).absolute()
        done = subprocess.run(
            [go, "version"], capture_output=True, text=True, check=True, timeout=60, env=_environment()
        )
        return cls(go, done.stdout.split()[2].removeprefix("go"))

    @property
    def short(self) -> str:
        """Like ``1.27``."""
        return ".".join(self.version.split(".")[:2])

    @property
    def rules(self) -> str:
        """The rules it should go by: ``go1.27``."""
        return f"go{self.short}"

    def build(self, tests: Sequence[Litmus], folder: Path) -> Program:
        """One program for all of ``tests``."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "go.mod").write_text(f"module litmus\n\ngo {self.short}\n", "utf-8")
        (folder / "main.go").write_text(write(tests, self.short), "utf-8")
        done = subprocess.run(
            [self.go, "build", "-o", "program", "."],
            cwd=folder,
            capture_output=True,
            text=True,
            env=_environment(),
            timeout=900,
            check=False,
        )
        if done.returncode:
            raise BuildFailed(f"go {self.version}: {done.stderr[:2000]}")
        return Program(folder / "program")

    def runs(self, tests: Sequence[Litmus], times: int, workers: int = 4, patience: int = 1) -> list[list[Ending]]:
        """The ends of ``times`` runs of each test, a few at once: they mostly wait."""
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
            program = self.build(tests, Path(folder))
            jobs = [[pool.submit(program.run, at, patience) for _ in range(times)] for at in range(len(tests))]
            return [[job.result() for job in row] for row in jobs]


def _environment() -> dict[str, str]:
    """What Go needs, and nothing that would make it look for anything outside."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR", "GOCACHE") if name in os.environ}
    return {
        **kept,
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOFLAGS": "-mod=mod",
        "GOWORK": "off",
    }
