"""Who may import whom, as one table, held against every import statement of the package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tenure

ROOT = Path(tenure.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

#: A room may import itself and what stands here. ``tenure`` means the public names of the package itself.
MAY_IMPORT: dict[str, set[str]] = {
    "": {"errors", "foreign", "lifecycle", "runtime", "memory", "_impl"},
    "errors": set(),
    "lifecycle": set(),
    "_impl": {"errors", "lifecycle", "_native"},
    "runtime": {"_impl", "errors", "lifecycle"},
    "memory": {"runtime", "_impl", "errors", "lifecycle"},
    "foreign": {"runtime", "_impl", "errors", "lifecycle"},
    "testing": {"tenure"},
    "check": {"lifecycle"},
    "explore": {"lifecycle"},
    "golang": {"explore"},
    "pipeline": {"tenure"},
    "cli": {"tenure", "check", "explore", "golang", "pipeline", "runtime"},
    "__main__": {"cli"},
}


def room_of(file: Path) -> str:
    first = file.relative_to(ROOT).parts[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imported_rooms(file: Path) -> Iterator[tuple[int, str]]:
    """Line and room of every import of our own package, however it is written and wherever it stands."""
    package = ("tenure", *file.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *((node.module or "").split(".") if node.module else ())))
            inside = module == "tenure"
            names = [f"tenure.{alias.name}" if inside and is_room(alias.name) else module for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "tenure":
                yield node.lineno, parts[1] if len(parts) > 1 else "tenure"


def is_room(name: str) -> bool:
    return name in MAY_IMPORT or name == "_native"


def test_the_table_names_every_room() -> None:
    assert {room_of(file) for file in FILES} <= set(MAY_IMPORT)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_point_the_allowed_way(file: Path) -> None:
    room = room_of(file)
    allowed = MAY_IMPORT[room] | {room}
    wrong = [f"line {line}: imports {target}" for line, target in imported_rooms(file) if target not in allowed]
    assert not wrong, f"{file.relative_to(ROOT)} (room {room!r}) {wrong}"
