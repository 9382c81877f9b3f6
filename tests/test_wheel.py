"""What a wheel installs, without any extra, checks files, explains rules, and says what an extra would bring."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: What a source tree needs for a wheel. The C sources are left out: they are optional, and this is about all the rest.
NEEDED = ("pyproject.toml", "setup.py", "README.md", "LICENSE", "src", "docs")

Tenure = Callable[..., "subprocess.CompletedProcess[str]"]


def said(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def tenure(tmp_path_factory: pytest.TempPathFactory) -> Tenure:
    """The command of a fresh environment in which the wheel is all there is."""
    folder = tmp_path_factory.mktemp("wheel")
    tree = folder / "tree"
    tree.mkdir()
    for name in NEEDED:
        part = ROOT / name
        if part.is_dir():
            shutil.copytree(part, tree / name, symlinks=True, ignore=shutil.ignore_patterns("*.so", "*.egg-info"))
        else:
            shutil.copy(part, tree / name)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    built = said(*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, tree, cwd=folder)
    assert built.returncode == 0, built.stderr
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    installed = said(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    assert installed.returncode == 0, installed.stderr
    return lambda *words: said(folder / "venv" / "bin" / "tenure", *words, cwd=folder)


def test_it_finds_a_leak(tenure: Tenure, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("def f(p):\n    f = open(p)\n    return f.read()\n", "utf-8")
    done = tenure("check", "--no-cache", str(file))
    assert (done.returncode, done.stderr) == (1, "")
    assert "never-closed" in done.stdout


def test_it_has_the_page_of_every_rule(tenure: Tenure) -> None:
    rules = [line.split()[1] for line in tenure("check", "--rules").stdout.splitlines()]
    pages = {rule: tenure("check", "--explain", rule).stdout for rule in rules[:: max(1, len(rules) // 3)]}
    assert pages
    assert [rule for rule, page in pages.items() if not page.startswith(f"# {rule} (")] == []


def test_it_has_the_problem_matcher(tenure: Tenure) -> None:
    assert '"problemMatcher"' in tenure("check", "--problem-matcher").stdout


def test_it_says_which_extra_brings_the_fixes(tenure: Tenure, tmp_path: Path) -> None:
    done = tenure("check", "--no-cache", "--fix", str(tmp_path))
    assert done.returncode == 2
    assert "--fix needs libcst, which is not installed: pip install 'tenure[check]'" in done.stderr
