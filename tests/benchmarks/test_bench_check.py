"""The benchmark of the checker judges a tool by the statement at fault and the function that was fixed."""

from __future__ import annotations

from pathlib import Path

from benchmarks.bench_check import function_lines, judged, statement_lines, table
from benchmarks.releases import locate

BEFORE = """\
class Reader:
    def read(self, path):
        f = open(
            path,
        )
        return f.read()
"""
AFTER = """\
class Reader:
    def read(self, path):
        with open(path) as f:
            return f.read()


def other(path):
    return open(path)
"""
RECORD = {"function": "Reader.read", "lines": [3]}


def test_a_finding_anywhere_in_the_statement_at_fault_counts(tmp_path: Path) -> None:
    bad, good = tmp_path / "before.py", tmp_path / "after.py"
    bad.write_text(BEFORE)
    good.write_text(AFTER)
    assert statement_lines(bad, 3) == (3, 5)
    assert judged({(bad.resolve(), 4)}, bad, good, RECORD) == (True, True)
    assert judged({(bad.resolve(), 6)}, bad, good, RECORD) == (False, True)


def test_only_the_function_that_was_fixed_has_to_be_left_in_peace(tmp_path: Path) -> None:
    bad, good = tmp_path / "before.py", tmp_path / "after.py"
    bad.write_text(BEFORE)
    good.write_text(AFTER)
    assert function_lines(good, "Reader.read") == (2, 4)
    assert judged({(bad.resolve(), 3), (good.resolve(), 3)}, bad, good, RECORD) == (True, False)
    assert judged({(bad.resolve(), 3), (good.resolve(), 8)}, bad, good, RECORD) == (True, True)


def test_a_file_is_found_below_the_folder_a_source_release_has_on_top(tmp_path: Path) -> None:
    file = tmp_path / "package-1.0" / "src" / "package" / "a.py"
    file.parent.mkdir(parents=True)
    file.touch()
    assert locate(tmp_path, "package/a.py") == file
    assert locate(tmp_path, "package/b.py") is None


def test_a_table_has_its_head_over_a_line() -> None:
    assert table(["a", "b"], [(1, "x")]) == "| a | b |\n| --- | --- |\n| 1 | x |"
