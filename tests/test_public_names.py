"""The public names are exact: each can be had, each is found where the table says, each is in the reference."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tenure

SOURCE = Path(tenure.__file__)
REFERENCE = SOURCE.parent.parent.parent / "docs/reference/runtime.md"
NAMES = [name for name in tenure.__all__ if name != "__version__"]


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_can_be_had(name: str) -> None:
    assert getattr(tenure, name) is not None


def test_the_type_checker_sees_the_same_names_from_the_same_homes() -> None:
    tree = ast.parse(SOURCE.read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname or alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom) and node.module != "typing"
        for alias in node.names
    }
    homes = {
        name: module if attribute else module.rpartition(".")[0] for name, (module, attribute) in tenure._HOMES.items()
    }
    assert seen == homes


def test_the_table_of_homes_is_the_list_of_names() -> None:
    assert sorted(tenure._HOMES) == sorted(NAMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'tenure' has no attribute 'nothing'"):
        tenure.nothing  # noqa: B018


def test_dir_lists_the_public_names() -> None:
    assert set(NAMES) <= set(dir(tenure))


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_has_every_public_name(name: str) -> None:
    assert f"`{name}" in REFERENCE.read_text("utf-8")


def test_a_handle_had_by_any_way_in_has_the_safety_net() -> None:
    program = "from tenure.memory import Buffer; import sys; assert 'tenure.runtime.abandoned' in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_import_brings_nothing_with_it() -> None:
    program = "import sys; before = set(sys.modules); import tenure; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "['__future__', 'tenure']\n"
