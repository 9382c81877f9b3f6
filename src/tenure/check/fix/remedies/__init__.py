"""What can be done about a resource that is not closed on every path, the most readable first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tenure.check.finding import Finding
from tenure.check.fix.place import Place
from tenure.check.fix.remedies import closed_twice, handed_on, named, several, temporary, transaction
from tenure.check.fix.remedies.change import Change

__all__ = ["REMEDIES", "Change"]

#: A remedy answers with the changed module, or with nothing where it is not certain.
REMEDIES: Final[tuple[Callable[[Place, Finding], Change | None], ...]] = (
    closed_twice.remedy,
    transaction.remedy,
    named.remedy,
    temporary.remedy,
    several.remedy,
    handed_on.remedy,
)
