"""One page of results for all benchmarks: each writes its own section, and nobody else's."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PAGE", "write_section"]

PAGE = Path(__file__).parent / "RESULTS.md"


def write_section(name: str, text: str, page: Path = PAGE) -> None:
    """Put ``text`` in the place of the section ``name`` of ``page``, or at its end if there is none yet."""
    old = page.read_text("utf-8") if page.exists() else "# Results\n"
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = old.partition(begin)
    after = rest.partition(end)[2].strip() if found else ""
    parts = [before.strip(), f"{begin}\n{text.strip()}\n{end}", after]
    page.write_text("\n\n".join(filter(None, parts)) + "\n", "utf-8")
