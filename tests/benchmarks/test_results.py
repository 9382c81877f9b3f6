"""Each benchmark writes its own section of the results and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.results import write_section

BEGIN, END = "<!-- mine: begin -->", "<!-- mine: end -->"
OTHER = "<!-- other: begin -->\nx\n<!-- other: end -->"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return tmp_path / "RESULTS.md"


def test_without_a_page_there_is_a_heading(page: Path) -> None:
    write_section("mine", "new", page)
    assert page.read_text() == f"# Results\n\n{BEGIN}\nnew\n{END}\n"


def test_the_first_section_is_added_at_the_end(page: Path) -> None:
    page.write_text(f"# Results\n\n{OTHER}\n")
    write_section("mine", "new", page)
    assert page.read_text() == f"# Results\n\n{OTHER}\n\n{BEGIN}\nnew\n{END}\n"


def test_a_new_section_replaces_the_old_and_leaves_the_others(page: Path) -> None:
    page.write_text(f"# Results\n\n{BEGIN}\nold\n{END}\n\n{OTHER}\n")
    for _ in range(2):
        write_section("mine", "new", page)
        assert page.read_text() == f"# Results\n\n{BEGIN}\nnew\n{END}\n\n{OTHER}\n"
