"""Edits turn one text into the other, and a diff is one that patch would take."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tenure.check.fix.edit import Edit, applied, edits_between, unified

TEXTS = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "d"])).map("".join)


@given(before=TEXTS, after=TEXTS)
def test_the_edits_between_two_texts_lead_from_one_to_the_other(before: str, after: str) -> None:
    assert applied(before, edits_between(before, after)) == after


def test_a_replaced_line_is_one_edit() -> None:
    assert edits_between("a\nb\nc\n", "a\nx\nc\n") == (Edit(2, 3, "x\n"),)


def test_a_diff_names_the_file_on_both_sides() -> None:
    assert unified("a\n", "b\n", "x.py") == "--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"


def test_a_missing_newline_at_the_end_is_said() -> None:
    assert unified("a", "b", "x.py").count("\\ No newline at end of file") == 2
