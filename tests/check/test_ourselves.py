"""The checker checks the project it is part of, and finds nothing."""

from __future__ import annotations

from pathlib import Path

import tenure
from tenure.check.config import Config
from tenure.check.engine import check


def test_tenure_checks_clean() -> None:
    report = check([Path(tenure.__file__).parent], Config())
    assert [f"{finding.path}:{finding.line}: {finding.message}" for finding in report.findings] == []
