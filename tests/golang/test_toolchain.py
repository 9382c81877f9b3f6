"""Tests are built and run with a real Go toolchain, and agree with the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenure.golang.campaign import campaign
from tenure.golang.oracle import compare
from tenure.golang.suite import shipped
from tenure.golang.toolchain import BuildFailed, Toolchain

GO = Path(__file__).parent.parent.parent / "build" / "go" / "1.27.3" / "go" / "bin" / "go"
needs_go = pytest.mark.skipif(not GO.exists(), reason="needs a Go toolchain: make build/go/1.27.3")


def test_a_toolchain_that_is_not_there_is_said() -> None:
    with pytest.raises(FileNotFoundError, match="/nowhere/go: no go command there; `make go` installs some"):
        Toolchain.at("/nowhere/go")


@needs_go
@pytest.mark.timeout(300)
def test_what_real_go_shows_is_allowed() -> None:
    toolchain = Toolchain.at(GO)
    assert (toolchain.version, toolchain.rules) == ("1.27.3", "go1.27")
    names = {"order-chain", "resurrection-not-rearmed", "weak-after-resurrection", "native-closed-once"}
    for found in compare([kept.test for kept in shipped() if kept.test.name in names], toolchain, 2):
        assert found.record.outcomes
        assert not found.disagreements


@needs_go
@pytest.mark.timeout(300)
def test_random_programs_agree_with_real_go() -> None:
    report = campaign(Toolchain.at(GO), 10, 70_000, 1)
    assert report.programs == 10
    assert report.lines()[0].endswith("0 disagreements")


@needs_go
@pytest.mark.timeout(300)
def test_a_program_that_go_refuses_is_told_with_its_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tenure.golang.toolchain.write", lambda tests, version: "package main\n\nfunc main() { nothing() }\n"
    )
    with pytest.raises(BuildFailed, match=r"go 1\.27\.3: "):
        Toolchain.at(GO).build([], tmp_path)
