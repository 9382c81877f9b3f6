"""What holds for every module: it opens with a sentence that says what it is, and its ``__all__`` is exact."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import tenure

ROOT = Path(tenure.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))


def named(file: Path) -> str:
    parts = ("tenure", *file.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


@pytest.mark.parametrize("file", FILES, ids=named)
def test_a_module_opens_with_its_sentence(file: Path) -> None:
    first = (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").partition("\n")[0]
    assert first.endswith((".", ":", "?", "…")), f"{file}: the first line should be a sentence, it is {first!r}"


@pytest.mark.parametrize("file", FILES, ids=named)
def test_all_is_exact(file: Path) -> None:
    """``__all__`` names what is defined publicly in the file (packages: also what they pass on), sorted, once."""
    if file.name == "__main__.py":
        return
    tree = ast.parse(file.read_text("utf-8"))
    public = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    has_all = any(
        isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets)
        for node in tree.body
    )
    if not has_all:
        assert not public, f"{file} defines {sorted(public)} but has no __all__"
        return
    try:
        module = importlib.import_module(named(file))
    except ModuleNotFoundError as error:
        pytest.skip(f"{named(file)} needs {error.name}, which is not installed")
    names = list(module.__all__)
    assert len(names) == len(set(names))
    assert public <= set(names), f"public but not in __all__: {sorted(public - set(names))}"
    assert all(hasattr(module, name) for name in names)
