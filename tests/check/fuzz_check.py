"""Files nobody would write, for as long as you like: each is findings or one `unreadable`, never a crash or a hang.

`make fuzz` runs this for a minute under atheris, which watches which lines of the checker each input reaches and grows
its inputs from that. The suite itself holds the same property on torn programs and on texts of hypothesis
(`test_hostile.py`).
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tenure.check"]):
    from tenure.check.config import Config
    from tenure.check.engine import check

CASES = re.split(r"^--- .+\n", (Path(__file__).parent / "cases.txt").read_text("utf-8"), flags=re.MULTILINE)[1:]


def one(data: bytes) -> None:
    """One input is one file."""
    with tempfile.NamedTemporaryFile(suffix=".py") as file:
        file.write(data)
        file.flush()
        for finding in check([Path(file.name)], Config(certainty="possible")).findings:
            assert 1 <= finding.line <= len(data) + 1, data


def main() -> None:
    """Run the cases, then whatever atheris makes of them."""
    for folder in filter(Path.is_dir, map(Path, sys.argv[1:])):
        for number, case in enumerate(CASES):
            (folder / f"case-{number}").write_text(case, "utf-8")
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
