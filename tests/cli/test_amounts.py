"""A number that cannot be meant is refused, with what would do."""

from __future__ import annotations

import pytest

from tenure.cli import main
from tenure.cli.amounts import at_least, seconds


def test_what_can_be_meant_is_taken() -> None:
    assert (at_least(0)("0"), at_least(1)("12"), seconds("0.5")) == (0, 12, 0.5)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("incident --requests 0", "argument --requests: '0' is not a whole number from 1"),
        ("incident --runs -1", "argument --runs: '-1' is not a whole number from 1"),
        ("pipeline open --limit -1", "argument --limit: '-1' is not a whole number from 0"),
        ("pipeline open --limit x", "argument --limit: 'x' is not a whole number from 0"),
        ("pipeline feed flights --batch 0", "argument --batch: '0' is not a whole number from 1"),
        ("pipeline stats --watch -1", "argument --watch: '-1' is no number of seconds"),
        ("pipeline stats --watch nan", "argument --watch: 'nan' is no number of seconds"),
        ("pipeline stats --watch soon", "argument --watch: 'soon' is no number of seconds"),
    ],
)
def test_what_cannot_be_meant_is_named(line: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(line.split())
    assert caught.value.code == 2
    assert why in capsys.readouterr().err
