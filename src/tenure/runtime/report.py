"""How the safety net speaks: a warning at the line that opened the handle, at its first leak and each power of ten."""

from __future__ import annotations

import threading
import warnings

from tenure._impl.contract import Entry
from tenure._impl.site import Site
from tenure.errors import AbandonedHandle, OpenAtExit, ReleaseFailed, ResurrectedHandle, TenureWarning
from tenure.runtime.settings import LeakPolicy, settings

__all__ = ["abandoned", "failed", "open_at_exit", "passes", "pending", "resurrected", "show", "speak_up", "uncaught"]

#: What ``configure(leak="raise")`` still has to raise.
pending: list[TenureWarning] = []

_IGNORED = ("ignore", None, ResourceWarning, None, 0)


def speak_up() -> None:
    """Let our warnings through where only Python's default filter, which hides every ResourceWarning, stands before."""
    for kind in warnings.filters:
        if kind == _IGNORED:
            warnings.simplefilter("default", TenureWarning)
            return
        if kind[1] is None and kind[3] is None and issubclass(TenureWarning, kind[2]):
            return  # somebody has decided already


def show(warning: TenureWarning, site: Site | None) -> None:
    """Issue ``warning`` at ``site``; a filter that makes it an error has it raised where nobody can catch it."""
    file, line = site.place if site is not None else ("<unknown>", 0)
    try:
        warnings.warn_explicit(warning, None, file, line, source=None)
    except TenureWarning as error:
        pending.append(error)
        uncaught(error)


def uncaught(error: BaseException) -> None:
    """Hand ``error``, which nobody can catch, to ``threading.excepthook``."""
    threading.excepthook(
        threading.ExceptHookArgs((type(error), error, error.__traceback__, threading.current_thread()))
    )


def passes(site: Site) -> bool:
    """Count a leak that is released and of which nobody is told; False, uncounted, if it is not such a one."""
    policy, leaks = settings().policy, site.leaks + 1
    if policy.raises or not policy.releases or _is_told(policy, leaks):
        return False
    site.leaks = leaks
    return True


def abandoned(entry: Entry, fate: str) -> None:
    """A leak, with what becomes of it."""
    site, policy = entry.site, settings().policy
    site.leaks += 1
    if not policy.raises and not _is_told(policy, site.leaks):
        return  # most leaks of a line that leaks; to put each into words would cost more than to release it
    warning = AbandonedHandle(which=entry.which, opened=site, outcome=_outcome(fate, site.leaks))
    if policy.raises:
        pending.append(warning)
    if _is_told(policy, site.leaks):
        show(warning, site)


def _is_told(policy: LeakPolicy, leaks: int) -> bool:
    return policy.reports and _is_power_of_ten(leaks)


def _outcome(fate: str, leaks: int) -> str:
    return fate if leaks == 1 else f"{fate} It is the {leaks}th from that line."


def _is_power_of_ten(number: int) -> bool:
    while number % 10 == 0:
        number //= 10
    return number == 1


def open_at_exit(entry: Entry, fate: str, more: int) -> None:
    """What the program left open; ``more`` is how many others came from the same line."""
    outcome = f"{fate} {more} more from that line." if more else fate
    if settings().policy.reports:
        show(OpenAtExit(which=entry.which, opened=entry.site, outcome=outcome), entry.site)


def failed(entry: Entry, error: BaseException) -> None:
    """A release function raised on the release thread."""
    told = f"{type(error).__name__}: {error}"
    show(ReleaseFailed(which=entry.which, opened=entry.site, error=told), entry.site)


def resurrected(entry: Entry, holder: str) -> None:
    """An abandoned handle is held again, by ``holder``."""
    show(ResurrectedHandle(which=entry.which, opened=entry.site, holder=holder), entry.site)
