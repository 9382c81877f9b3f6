"""The one place that chooses between the native and the pure implementation, once for everybody."""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING, Final

from tenure.errors import ImplementationUnavailable, SettingError

__all__ = ["Handle", "Lease", "chosen", "implementation", "why_not_native"]

_asked: Final = os.environ.get("TENURE_IMPL") or None


def _native() -> ModuleType:
    from tenure import _native

    return _native


def _pure() -> ModuleType:
    from tenure._impl import pure

    return pure


def _choose() -> tuple[ModuleType, str | None]:
    """The implementation, and why it is not the native one if it is not."""
    if _asked == "pure":
        return _pure(), "TENURE_IMPL=pure asks for it"
    if _asked not in (None, "native"):
        raise SettingError(setting="TENURE_IMPL", value=_asked, origin="the environment", allowed="'native', 'pure'")
    try:
        return _native(), None
    except ImportError as error:
        if _asked == "native":
            raise ImplementationUnavailable(asked=_asked, why=error) from error
        return _pure(), f"tenure._native cannot be loaded: {error}"


chosen: ModuleType
why_not_native: str | None
chosen, why_not_native = _choose()
#: ``"native"`` or ``"pure"``.
implementation: str = chosen.name

if TYPE_CHECKING:
    from tenure._impl.pure import Handle, Lease
else:
    Handle, Lease = chosen.Handle, chosen.Lease
