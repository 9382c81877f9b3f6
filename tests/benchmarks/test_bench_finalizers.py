"""The benchmark of finalizers measures every subject, and its table says what each figure is for."""

from __future__ import annotations

import pytest
from benchmarks.bench_finalizers import SUBJECTS, ask, table


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_subject_is_measured_in_a_process_of_its_own(subject: str) -> None:
    figures = ask(subject, 100)
    assert set(figures) == {"arm", "collect", "of that in Python", "find and run"}
    assert (figures["of that in Python"] > 0) == (subject == "armed")


def test_the_table_is_of_medians_and_of_one_object() -> None:
    def figures(collect: float) -> dict[str, float]:
        return {"arm": 2.0, "collect": collect, "of that in Python": 1.0, "find and run": 3.0}

    rounds = [{subject: figures(collect + 10 * (subject == "armed")) for subject in SUBJECTS} for collect in (5, 1, 9)]
    lines = table(rounds, 1000).splitlines()
    assert lines[1].split()[-3:] == ["5.0", "15.0", "5.0"]
    assert lines[3].split()[-3:] == ["2000.0", "2000.0", "2000.0"]
    assert lines[-1] == "1,000 armed objects make a full collection 10.0 ms longer"
