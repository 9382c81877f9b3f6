"""Builds the tiny C library three ways, and runs each victim in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hazards.hazard import BUILDS, VICTIMS, Outcome

Run = Callable[..., Outcome]

#: For a victim without its protection: what then happens does not depend on the implementation.
only_once = pytest.mark.parametrize("impl", ["pure"], indirect=True)


@pytest.fixture(scope="session")
def compiler() -> str:
    found = shutil.which("gcc")
    if found is None:
        pytest.skip("the hazards need gcc to build their C library")
    return found


@pytest.fixture(scope="session")
def libraries(compiler: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each build of the library."""
    folder, source = tmp_path_factory.mktemp("hz"), VICTIMS.parent / "hz.c"
    for name, (flags, _) in BUILDS.items():
        flags = ["-O1", "-g", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", *flags]
        subprocess.run([compiler, *flags, str(source), "-o", str(folder / f"libhz_{name}.so")], check=True)
    return {name: folder / f"libhz_{name}.so" for name in BUILDS}


@pytest.fixture(scope="session")
def asan(compiler: str) -> str:
    """AddressSanitizer's library, which must be loaded before all others."""
    answer = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


@pytest.fixture(scope="session", params=["pure", "native"])
def impl(request: pytest.FixtureRequest) -> str:
    """Each implementation of the runtime."""
    if request.param == "native":
        told = subprocess.run([sys.executable, "-c", "import tenure._native"], capture_output=True, check=False)
        if told.returncode:
            pytest.skip("tenure._native is not built here")
    return str(request.param)


@pytest.fixture
def run(libraries: dict[str, Path], asan: str, impl: str) -> Run:
    """Run a victim: ``run("module", "function", "protected", build="guard")``."""

    def run(module: str, function: str, how: str, *more: str, build: str = "guard") -> Outcome:
        library = str(libraries[build])
        environment = {**os.environ, **BUILDS[build][1], "TENURE_IMPL": impl, "PYTHONFAULTHANDLER": "1"}
        if build == "asan":
            environment |= {"LD_PRELOAD": asan, "PYTHONMALLOC": "malloc"}
        if build == "malloc":
            environment |= {"PYTHONMALLOC": "malloc"}
        arguments = [library, module, function, how, *(each.format(path=library) for each in more)]
        command = [sys.executable, str(VICTIMS / "run_victim.py"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run
