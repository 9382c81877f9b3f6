"""The checker beside ruff's SIM115 and pylint's R1732: on released bugs, on packages that should be quiet, and in time.

``python -m benchmarks.bench_check [--corpus FOLDER] [--write]``. The releases of ``check_corpus.json`` are fetched by
pip on the first run (some 3 GB unpacked, most of it what the packages bring besides Python). A bug counts as found
when a finding lies in the statement at fault, as told apart when the fixed function has none besides.
"""

from __future__ import annotations

import argparse
import ast
import json
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from benchmarks.releases import fetch, locate
from benchmarks.results import write_section

__all__ = ["TOOLS", "Tool", "function_lines", "main", "statement_lines", "table"]

HERE: Final = Path(__file__).parent
CASES: Final = HERE.parent / "tests" / "check" / "cases.txt"
#: pylint reads some two thousand lines a second, so it is asked about these packages only.
SMALL: Final = ("click", "flask", "httpx", "requests", "werkzeug")
#: A file of a package, and what is added to it between two runs.
CHANGED: Final = ("sqlalchemy", "sqlalchemy/util/_collections.py")
CHANGES: Final = {
    "a comment added": "\n# nothing more\n",
    "a factory added": "\n\ndef open_collected(path):\n    return open(path)\n",
}
Places = set[tuple[Path, int]]


@dataclass(frozen=True)
class Tool:
    """A checker: how it is called, and where its answer has its findings."""

    name: str
    command: tuple[str, ...]
    read: Callable[[str], list[tuple[str, int]]]

    def places(self, paths: Sequence[Path], *more: str) -> Places:
        """Where it finds something below these paths."""
        done = subprocess.run([*self.command, *more, *map(str, paths)], capture_output=True, text=True)
        try:
            return {(Path(path).resolve(), line) for path, line in self.read(done.stdout)}
        except (ValueError, KeyError):
            raise SystemExit(f"{self.name} gave no answer: {done.stderr[-500:] or done.stdout[-500:]}") from None


def _ruff(text: str) -> list[tuple[str, int]]:
    return [(f["filename"], f["location"]["row"]) for f in json.loads(text)]


def _pylint(text: str) -> list[tuple[str, int]]:
    return [(f["path"], f["line"]) for f in json.loads(text)]


def _tenure(text: str) -> list[tuple[str, int]]:
    return [(f["path"], f["line"]) for f in json.loads(text)["findings"]]


_PYTHON: Final = (sys.executable, "-m")
TENURE: Final = Tool(
    "tenure",
    (str(Path(sys.executable).parent / "tenure"), "check", "--format", "json", "--jobs", "1", "--quiet"),
    _tenure,
)
TOOLS: Final = (
    TENURE,
    Tool(
        "ruff SIM115", (*_PYTHON, "ruff", "check", "--isolated", "-q", "--select=SIM115", "--output-format=json"), _ruff
    ),
    Tool("pylint R1732", (*_PYTHON, "pylint", "--disable=all", "--enable=R1732", "--output-format=json"), _pylint),
)


# -- released bugs ---------------------------------------------------------------------------------------------------


@dataclass
class Score:
    """How many of the released bugs a tool finds, by kind."""

    found: Counter[str] = field(default_factory=Counter)
    told_apart: Counter[str] = field(default_factory=Counter)


def bugs(records: Sequence[Mapping[str, Any]], corpus: Path) -> tuple[dict[str, Score], Counter[str]]:
    """Every tool's score, and how many bugs of each kind there are."""
    scores = {tool.name: Score() for tool in TOOLS}
    kinds: Counter[str] = Counter()
    for record in records:
        before, after = (fetch(record["package"], record[which], corpus) for which in ("buggy", "fixed"))
        bad = locate(before, record["file"]) if before else None
        good = locate(after, record.get("fixed_file", record["file"])) if after else None
        if bad is None or good is None:
            print(f"not to be had: {record['package']} {record['buggy']}", file=sys.stderr)
            continue
        kinds[record["kind"]] += 1
        for tool in TOOLS:
            found, silent = judged(tool.places([bad, good]), bad, good, record)
            scores[tool.name].found[record["kind"]] += found
            scores[tool.name].told_apart[record["kind"]] += found and silent
    return scores, kinds


def judged(places: Places, bad: Path, good: Path, record: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the bug is found, and whether the function that was fixed is left in peace."""
    lines = {line for path, line in places if path == bad.resolve()}
    spans = [statement_lines(bad, line) for line in record["lines"]]
    found = any(first <= line <= last for first, last in spans for line in lines)
    span = function_lines(good, record["function"])
    silent = not any(path == good.resolve() and span and span[0] <= line <= span[1] for path, line in places)
    return found, silent


def _tree(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text("utf-8", errors="replace"))
    except SyntaxError:
        return ast.Module([], [])


def statement_lines(path: Path, line: int) -> tuple[int, int]:
    """First and last line of the smallest simple statement around a line."""
    simple = (n for n in ast.walk(_tree(path)) if isinstance(n, ast.stmt) and not hasattr(n, "body"))
    spans = [(n.lineno, n.end_lineno or n.lineno) for n in simple]
    return min((s for s in spans if s[0] <= line <= s[1]), key=lambda s: s[1] - s[0], default=(line, line))


def function_lines(path: Path, qualified: str) -> tuple[int, int] | None:
    """Where the function of a dotted name stands, if it is still there."""

    def search(node: ast.AST, prefix: str) -> tuple[int, int] | None:
        for child in ast.iter_child_nodes(node):
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            name = (
                prefix + child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""
            )
            if name == qualified and isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                return child.lineno, child.end_lineno or child.lineno
            if found := search(child, name + "." if named else prefix):
                return found
        return None

    return search(_tree(path), "")


# -- our own cases ---------------------------------------------------------------------------------------------------


def cases(below: Path) -> dict[str, tuple[int, int, int]]:
    """Of each tool: lines found of those marked, lines it flags besides, and how many are marked."""
    expected: Places = set()
    parts = re.split(r"^--- .+\n", CASES.read_text("utf-8"), flags=re.MULTILINE)[1:]
    for number, text in enumerate(parts):
        file = (below / f"case{number}.py").resolve()
        file.write_text(text, "utf-8")
        expected |= {(file, n) for n, line in enumerate(text.splitlines(), 1) if "# error: " in line}
    found = {tool.name: tool.places([below]) for tool in TOOLS[:2]}
    found[TOOLS[2].name] = TOOLS[2].places(sorted(below.glob("*.py")))
    return {name: (len(places & expected), len(places - expected), len(expected)) for name, places in found.items()}


# -- packages that should be quiet, and time -------------------------------------------------------------------------


@dataclass(frozen=True)
class Pace:
    """One run over many files."""

    findings: int
    seconds: float  #: of processor time
    megabytes: int  #: at most, of this and all earlier runs


def paced(tool: Tool, paths: Sequence[Path], *more: str) -> Pace:
    """Run a tool and take its time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    places = tool.places(paths, *more)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Pace(len(places), seconds, after.ru_maxrss // 1024)


@cache
def code_lines(folder: Path) -> int:
    """Lines of Python that are not blank."""
    return sum(
        bool(line.strip()) for f in folder.rglob("*.py") for line in f.read_text("utf-8", errors="replace").splitlines()
    )


def quiet(packages: Mapping[str, str], corpus: Path) -> list[tuple[object, ...]]:
    """Rows: what was run over what, findings, findings a thousand lines, thousand lines a second, memory."""
    folders = {name: folder for name, v in packages.items() if (folder := fetch(name, v, corpus))}
    rows = [
        _row("tenure", f"{name} {packages[name]}", [folder], paced(TENURE, [folder], "--no-cache"))
        for name, folder in folders.items()
    ]
    every, small = list(folders.values()), [folders[name] for name in SMALL]
    rows.append(_row("tenure, cold", "all of them", every, paced(TENURE, every, "--no-cache")))
    paced(TENURE, every)
    rows.append(_row("tenure, warm cache", "all of them", every, paced(TENURE, every)))
    rows.extend(changed(folders[CHANGED[0]]) if CHANGED[0] in folders else [])
    rows.append(_row(TOOLS[1].name, "all of them", every, paced(TOOLS[1], every, "--no-cache")))
    rows.extend(_row(tool.name, " ".join(SMALL), small, paced(tool, small)) for tool in TOOLS[2:])
    return rows


def changed(folder: Path) -> Iterator[tuple[object, ...]]:
    """Rows of a second run over a package of which one file, that most others import, has changed."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(folder, Path(scratch, folder.name)))
        paced(TENURE, [copy])
        for how, text in CHANGES.items():
            with Path(copy, CHANGED[1]).open("a", encoding="utf-8") as file:
                file.write(text)
            yield _row(f"tenure, warm cache, {how}", folder.name, [copy], paced(TENURE, [copy]))


def _row(tool: str, what: str, folders: Sequence[Path], pace: Pace) -> tuple[object, ...]:
    thousand = sum(map(code_lines, folders)) / 1000
    each = f"{pace.findings / thousand:.3f}"
    return tool, what, f"{thousand:.1f}", pace.findings, each, f"{thousand / pace.seconds:.0f}", pace.megabytes


# -- the page --------------------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def page(
    scores: Mapping[str, Score],
    kinds: Counter[str],
    own: Mapping[str, tuple[int, int, int]],
    rows: Sequence[tuple[object, ...]],
) -> str:
    """The section of the results."""
    versions = f"ruff {version('ruff')}, pylint {version('pylint')}, CPython {platform.python_version()}"
    shown = [
        (f"{kind} ({count})", *(f"{s.found[kind]}, {s.told_apart[kind]}" for s in scores.values()))
        for kind, count in [*kinds.items(), ("all", kinds.total())]
        if kind != "all"
    ]
    total = (f"all ({kinds.total()})", *(f"{s.found.total()}, {s.told_apart.total()}" for s in scores.values()))
    cases_shown = [(name, f"{hit} of {marked}", besides) for name, (hit, besides, marked) in own.items()]
    return "\n\n".join(
        [
            "## The checker beside ruff and pylint",
            f"`make bench-check`; {versions}. Processor time of one process; lines are those that are not blank.",
            "Bugs in released packages: found, and of these told apart from their fix.",
            table(["kind", *scores], [*shown, total]),
            "Our own cases (`tests/check/cases.txt`), written with the checker: what the others make of them.",
            table(["tool", "marked lines found", "other lines flagged"], cases_shown),
            "Released packages. Which of the findings are real is told in `docs/explain/what-check-found.md`.",
            table(["tool", "package", "KLOC", "findings", "a KLOC", "KLOC/s", "MB at most so far"], rows),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=HERE.parent / "build" / "check-corpus")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    args = parser.parse_args()
    args.corpus.mkdir(parents=True, exist_ok=True)
    data = json.loads((HERE / "check_corpus.json").read_text("utf-8"))
    rows = quiet(data["packages"], args.corpus)
    with tempfile.TemporaryDirectory() as folder:
        own = cases(Path(folder))
    text = page(*bugs(data["bugs"], args.corpus), own, rows)
    print(text)
    if args.write:
        write_section("check", text)


if __name__ == "__main__":
    main()
