"""One implementation is chosen for everybody: what is forced and cannot be had is an error that says why."""

from __future__ import annotations

import os
import subprocess
import sys

FAIL_TO_LOAD = "import sys; sys.modules['tenure._native'] = None; import tenure; "


def said(program: str, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "TENURE_IMPL"}
    command = [sys.executable, "-c", program]
    result = subprocess.run(
        command, env={**clean, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    return result.stdout + result.stderr


def test_pure_can_be_forced() -> None:
    assert said("import tenure; print(tenure.implementation)", TENURE_IMPL="pure") == "pure\n"


def test_without_the_native_one_it_falls_back_and_says_why() -> None:
    out = said(FAIL_TO_LOAD + "from tenure import _impl; print(tenure.implementation, '|', _impl.why_not_native)")
    assert out.startswith("pure | tenure._native cannot be loaded: ")


def test_a_forced_native_one_that_cannot_be_loaded_is_an_error() -> None:
    out = said(FAIL_TO_LOAD + "tenure.own", TENURE_IMPL="native")
    assert "ImplementationUnavailable: TENURE_IMPL=native cannot be loaded: " in out
    assert "Unset it to take whichever loads" in out
