"""Hand-made findings for what is shown, stored and fixed of them; and a look at which files are judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tenure.check.checker import Checker
from tenure.check.engine import Report
from tenure.check.finding import Facts, Finding, Step
from tenure.check.fix.edit import Edit, Fix
from tenure.check.modules import Module
from tenure.check.report import Answer

LEAKING = '''\
def first_line(path):
    """The first line of a file."""
    f = open(path)
    line = f.readline()
    return line.strip()  # without its end
'''


@pytest.fixture
def leaking(tmp_path: Path) -> Path:
    """A file with one leak."""
    file = tmp_path / "ingest.py"
    file.write_text(LEAKING, "utf-8")
    return file


@pytest.fixture
def leak(leaking: Path) -> Finding:
    """What is to be said of it."""
    facts = Facts("first_line", "f", "file", "{}.close()", True, (3, 4), (3, 18), (3, 8), (3, 18))
    story = (Step(3, "opened here"), Step(4, "this call may raise"), Step(5, "leaves without close"))
    message = "the file opened here is never closed"
    return Finding("never-closed", "TEN101", str(leaking), 3, 9, 3, message, "certain", story, facts)


@pytest.fixture
def fix() -> Fix:
    """What to do about it."""
    return Fix("open it in a with block", (Edit(3, 5, "    with open(path) as f:\n        line = f.readline()\n"),))


@pytest.fixture
def answering(leaking: Path) -> Callable[..., Answer]:
    """Makes the answer that shows some findings."""

    def make(*findings: Finding, **more: object) -> Answer:
        report = Report(tuple(findings), 1, 5, 0.25)
        return Answer(report, root=leaking.parent, version="1.2.3", **more)  # type: ignore[arg-type]

    return make


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were judged."""
    names: list[str] = []
    real = Checker.findings

    def spy(checker: Checker, module: Module) -> list[Finding]:
        names.append(Path(module.path).name)
        return real(checker, module)

    monkeypatch.setattr(Checker, "findings", spy)
    return names
