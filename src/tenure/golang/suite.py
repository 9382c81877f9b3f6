"""The tests that are shipped: each with its expected answers, and with what was seen of it on real Go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from tenure.golang.answer import Answer, answer, as_text
from tenure.golang.oracle import Record, applies, records_from
from tenure.golang.parser import parse
from tenure.golang.rules import DEFAULT, RULES
from tenure.golang.syntax import Litmus
from tenure.golang.tokens import LitmusError, Place

__all__ = ["Kept", "expectation", "kept_at", "rules_for", "shipped", "strays"]


@dataclass(frozen=True, slots=True)
class Kept:
    """A test in a file, with the files beside it."""

    path: Path
    test: Litmus

    @property
    def family(self) -> str:
        """The folder it is in."""
        return self.path.parent.name

    @property
    def expected(self) -> str:
        """The text of its ``.expected`` file, if there is one."""
        return _text(self.path.with_suffix(".expected"))

    @property
    def seen(self) -> list[Record]:
        """The records of its ``.seen`` file."""
        file = self.path.with_suffix(".seen")
        return records_from(_text(file), str(file))


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def kept_at(path: Path) -> Kept:
    """The test in the file at ``path``."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        place = Place(before.count(b"\n") + 1, len(before.rpartition(b"\n")[2]) + 1)
        raise LitmusError(
            f"expected UTF-8, found the byte 0x{error.object[error.start]:02x}", place, str(path)
        ) from None
    return Kept(path, parse(text, str(path)))


def shipped() -> Iterator[Kept]:
    """The tests of the suite, by family and name."""
    with as_file(files("tenure.golang") / "suite") as folder:
        for path in sorted(folder.glob("*/*.litmus")):
            yield kept_at(path)


def rules_for(test: Litmus, wanted: str = DEFAULT) -> str:
    """The rules to ask ``test`` under: those wanted, or the nearest it is made for."""
    fitting = [name for name in RULES if applies(test, name)]
    real = [name for name in fitting if name != "described"]
    return wanted if wanted in fitting else (real or fitting)[-1]


def expectation(test: Litmus) -> str:
    """What an ``.expected`` file says: the answer under every set of rules, those that answer alike together."""
    groups: list[tuple[list[str], str]] = []
    for rules in RULES:
        if applies(test, rules):
            text = _body(answer(test, rules, tells=False))
            if groups and groups[-1][1] == text:
                groups[-1][0].append(rules)
            else:
                groups.append(([rules], text))
    return "\n\n".join(f"Rules {' '.join(names)}\n{text}" for names, text in groups) + "\n"


def _body(found: Answer) -> str:
    """The answer from the outcomes on; the head says what the test itself says."""
    return as_text(found).partition("\nOutcomes")[2].join(("Outcomes", ""))


def strays(kept: Kept) -> list[str]:
    """What was seen of a test on real Go and is not allowed by the rules of that version."""
    found: list[str] = []
    allowed: dict[str, frozenset[str]] = {}
    for record in kept.seen:
        if record.rules not in allowed:
            allowed[record.rules] = answer(kept.test, record.rules, tells=False).allowed
        found += [
            f"seen on go {record.go}, not allowed: {outcome}"
            for outcome in record.outcomes
            if outcome not in allowed[record.rules]
        ]
    return found
