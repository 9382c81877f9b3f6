"""The benchmark measures what it says, and writes its own section of the results and no other."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bench_explore import Counters, Row, Sorted, as_markdown, searched, written

BEGIN, END = "<!-- explore: begin -->", "<!-- explore: end -->"


def test_every_way_visits_the_counters_it_should() -> None:
    assert searched(Counters(3, 4))() == 5**3
    assert searched(Counters(3, 4), reduce=True)() == 3 * 4 + 1
    assert searched(Sorted(3, 4), symmetry=True)() == 35


def test_the_faster_peer_is_the_one_compared_with() -> None:
    rows = [Row("c", "tenure", 100, 1.0), Row("c", "slow", 100, 4.0), Row("c", "fast", 100, 2.0)]
    assert as_markdown(rows, 1).endswith("On the counters: 2.0× the faster peer (fast).")


def test_the_first_section_is_added_at_the_end(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("# Results\n\n<!-- other: begin -->\nx\n<!-- other: end -->\n")
    assert written(results, "mine") == (
        f"# Results\n\n<!-- other: begin -->\nx\n<!-- other: end -->\n\n{BEGIN}\nmine\n{END}\n"
    )


def test_a_new_section_replaces_the_old_and_leaves_the_others(tmp_path: Path) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text(f"# Results\n\n{BEGIN}\nold\n{END}\n\n<!-- other: begin -->\nx\n<!-- other: end -->\n")
    once = written(results, "new")
    assert once == f"# Results\n\n{BEGIN}\nnew\n{END}\n\n<!-- other: begin -->\nx\n<!-- other: end -->\n"
    results.write_text(once)
    assert written(results, "new") == once


def test_without_a_file_there_is_a_heading(tmp_path: Path) -> None:
    assert written(tmp_path / "RESULTS.md", "new") == f"# Results\n\n{BEGIN}\nnew\n{END}\n"
