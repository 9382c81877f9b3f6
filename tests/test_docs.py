"""Every page says what is true: its code runs, its commands print what it shows, its links lead somewhere.

On a page, in order, in one namespace and one empty directory:

* a ```python block runs; an ```output block right after it is what it printed;
* a ```python block whose first line is a comment like ``# gate.py`` is also saved as that file;
* a block with a file's name behind its kind (```python ingest.py) is written to that file, and does not run;
* a ```console block has commands after ``$``, and under a command what it prints, if that is shown;
* ``…`` in shown output stands for anything on that line, and a line of its own for any lines;
* a ```litmus block is written to the file of its test's name, for the commands after it;
* a ```sh block is for a person's own shell (installing, make): it is not run here, and may hold nothing else.

The pages under ``docs/rules`` are tests of the checker and are held to their own words there.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
RUN = [page for page in PAGES if "rules" not in page.relative_to(ROOT).parts]
FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>[\w-]*)(?: (?P<file>[\w./-]+))?\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
OWN_SHELL = ("make ", "pip ", "python -m pip ", "python3 -m venv ", "apt-get ", "git ", "cd ", "#", "sudo ", "export ")


class Block(NamedTuple):
    line: int
    kind: str
    text: str
    file: str | None


def blocks(page: Path) -> Iterator[Block]:
    source = page.read_text("utf-8")
    for match in FENCE.finditer(source):
        text = match["text"].replace("\n" + match["indent"], "\n").removeprefix(match["indent"])
        yield Block(source.count("\n", 0, match.start("text")), match["kind"], text, match["file"])


def matches(shown: str, printed: str) -> bool:
    """Whether what was printed is what is shown, ``…`` standing for anything."""
    lines = [r"(?:.*\n)*?" if line.strip() == "…" else _line(line) for line in shown.rstrip().splitlines()]
    return re.fullmatch("".join(lines), printed.rstrip() + "\n") is not None


def _line(line: str) -> str:
    return ".*".join(map(re.escape, line.rstrip().split("…"))) + r"[ ]*\n"


def printed_by(block: Block, page: Path, namespace: dict[str, Any]) -> str:
    # Line numbers and file are those of the page, so that what a site or a traceback names can be looked up.
    code = compile("\n" * block.line + block.text, str(page), "exec")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(code, namespace)
    return out.getvalue()


def commands(text: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, with what is shown under it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        while command.endswith("\\"):
            more, _, shown = shown.partition("\n")
            command = command[:-1] + more.strip()
        yield command, shown


def said_by(command: str, directory: Path) -> str:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
    result = subprocess.run(
        command, shell=True, cwd=directory, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    return result.stdout + result.stderr


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
@pytest.mark.leaves_open
def test_the_code_of_a_page_runs_and_prints_what_it_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "page"}
    printed = ""
    for block in blocks(page):
        where = f"{page.relative_to(ROOT)}:{block.line + 1}"
        if block.file:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.text, "utf-8")
        elif block.kind == "python":
            if named := re.match(r"# (\w+\.py)\n", block.text):
                (tmp_path / named[1]).write_text(block.text, "utf-8")
            printed = printed_by(block, page, namespace)
        elif block.kind == "output":
            assert matches(block.text, printed), f"{where} shows\n{block.text}\nbut it printed\n{printed}"
        elif block.kind == "console":
            for command, shown in commands(block.text):
                said = said_by(command, tmp_path)
                assert not shown.strip() or matches(shown, said), f"{where}: $ {command}\nsaid\n{said}"
        elif block.kind == "litmus":
            (tmp_path / f"{block.text.split()[1]}.litmus").write_text(block.text, "utf-8")
        elif block.kind == "sh":
            strange = [line for line in block.text.splitlines() if line and not line.startswith(OWN_SHELL)]
            assert not strange, f"{where}: a ```sh block is not run; this belongs in ```console: {strange}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", FENCE.sub("", page.read_text("utf-8")))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing, f"{page.relative_to(ROOT)} links to what is not there: {missing}"


def test_every_page_is_found_from_the_index() -> None:
    index = (ROOT / "docs/index.md").read_text("utf-8")
    pages = {str(page.relative_to(ROOT / "docs")) for page in PAGES if page.parent != ROOT} - {"index.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_an_ellipsis_stands_for_anything_and_nothing_else_does() -> None:
    assert matches("a … c\n…\nend", "a b c\nx\ny\nend\n")
    assert matches("a\n…\nend", "a\nend\n")
    assert not matches("a.c", "abc\n")
    assert not matches("a", "a\nb\n")
