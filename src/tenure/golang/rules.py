"""What differs between the versions of Go, and from the mechanism as it is often described, as one table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

__all__ = ["DEFAULT", "RULES", "Rules", "between"]


@dataclass(frozen=True, slots=True)
class Rules:
    """One set of rules that the collector, the finalizers and the cleanups go by."""

    name: str
    #: Whether there are weak pointers and cleanups (package weak, runtime.AddCleanup: since go1.24).
    cleanups: bool
    #: Whether cleanups wait in the finalizers' queue for the finalizers' goroutine, or have goroutines of their own.
    own_cleanup_goroutines: bool
    #: Whether AddCleanup panics when the function captures the object, so that it would never run.
    cleanup_checks_captures: bool
    #: Whether the argument of a running cleanup is kept until the cleanup returns.
    running_cleanup_keeps: bool
    #: Whether weak.Make of a package variable is a fatal error.
    weak_static_throws: bool
    #: Whether runtime.Pinner panics when it is to pin nil.
    pin_of_nil_panics: bool = False
    #: Whether a second SetFinalizer is a fatal error (or else replaces the first).
    second_finalizer_throws: bool = True
    #: Whether what a finalizable object points to is kept for its finalizer, which makes the order parents first.
    parents_first: bool = True
    #: Whether the object and what it captures are kept until its finalizer returns.
    running_finalizer_keeps: bool = True
    #: How many goroutines run finalizers.
    finalizer_goroutines: int = 1
    #: How many complete cycles a resurrected object survives before a finalizer set again can be queued.
    cycles_survived: int = 0


_GO_1_21: Final = Rules(
    "go1.21",
    cleanups=False,
    own_cleanup_goroutines=False,
    cleanup_checks_captures=False,
    running_cleanup_keeps=True,
    weak_static_throws=False,
    pin_of_nil_panics=True,
)
_GO_1_22: Final = replace(_GO_1_21, name="go1.22", pin_of_nil_panics=False)
_GO_1_24: Final = replace(_GO_1_22, name="go1.24", cleanups=True, weak_static_throws=True)
_GO_1_25: Final = replace(_GO_1_24, name="go1.25", own_cleanup_goroutines=True, weak_static_throws=False)
_GO_1_26: Final = replace(_GO_1_25, name="go1.26", cleanup_checks_captures=True, running_cleanup_keeps=False)

#: The mechanism as it is often told, where that is not what Go does: a second finalizer replaces the first, several
#: goroutines run the finalizers of a graph in no order, an object may be reclaimed while its finalizer runs, and a
#: resurrected one survives one more complete cycle. No version of Go has ever behaved so.
_DESCRIBED: Final = replace(
    _GO_1_26,
    name="described",
    second_finalizer_throws=False,
    parents_first=False,
    running_finalizer_keeps=False,
    finalizer_goroutines=2,
    cycles_survived=1,
)

RULES: Final[dict[str, Rules]] = {
    rules.name: rules
    for rules in (
        _GO_1_21,
        _GO_1_22,
        replace(_GO_1_22, name="go1.23"),
        _GO_1_24,
        _GO_1_25,
        _GO_1_26,
        replace(_GO_1_26, name="go1.27"),
        _DESCRIBED,
    )
}

DEFAULT: Final = "go1.27"


def between(first: str, last: str, needs_cleanups: bool = False) -> tuple[str, ...]:
    """The versions of Go from ``first`` (or the oldest) to ``last`` (or the newest) that have what is needed."""
    names = [name for name, rules in RULES.items() if name != "described" and (rules.cleanups or not needs_cleanups)]
    return tuple(name for name in names if (not first or name >= first) and (not last or name <= last))
