"""Every error and warning of tenure, one tree each; a message says what, which, where it began and what to do.

::

    TenureError
    ├── ClosedHandle (ValueError)        used after it was closed
    │   ├── DisownedHandle               used in a forked child that does not own it
    │   └── AlreadyClosed                closed twice, where that was configured to be an error
    ├── LeasedHandle                     close refused: somebody is using it
    ├── CloseTimeout (TimeoutError)      close(wait=True, timeout=…) waited in vain
    ├── NoToken (ValueError)             the factory returned None
    ├── AlreadyOwned (ValueError)        the token has an owner already
    ├── CapturedOwner (ValueError)       a release function or finalizer reaches what it is attached to
    ├── FinalizedReference               a finalizer reached another finalized object
    ├── WrongThread                      a handle confined to a thread was used on another
    ├── LeaksFound (AssertionError)      the ledger was to be empty and was not
    ├── LockRefused (MemoryError)        memory for secrets must be locked and the system refused
    ├── NotShown (OSError)               this process's ledger cannot be shown to others
    │   └── UnsafeDirectory              others may enter the directory of its socket
    ├── NotToBeSeen (LookupError)        the ledger of another process cannot be looked at
    ├── SettingError (ValueError)        configure() or a TENURE_* variable got what it does not know
    └── ImplementationUnavailable (ImportError)   TENURE_IMPL asks for what cannot be loaded

    TenureWarning (ResourceWarning)
    ├── AbandonedHandle                  nobody held it any more and it was never closed
    ├── OpenAtExit                       still open when the process ended
    ├── ResurrectedHandle                abandoned, and then held again
    ├── ReleaseFailed                    a release function raised where nobody could catch it
    ├── FinalizerFailed                  a finalizer raised
    ├── SlowFinalizer                    a finalizer keeps everything behind it waiting
    ├── UncheckedCapture                 whether a callback reaches its owner was not fully looked at
    └── UnlockedMemory                   the system refused to lock memory for secrets

Every class takes its facts as keyword arguments, keeps them as attributes, and makes its message of them.
"""

from __future__ import annotations

__all__ = [
    "AbandonedHandle",
    "AlreadyClosed",
    "AlreadyOwned",
    "CapturedOwner",
    "CloseTimeout",
    "ClosedHandle",
    "DisownedHandle",
    "FinalizedReference",
    "FinalizerFailed",
    "ImplementationUnavailable",
    "LeaksFound",
    "LeasedHandle",
    "LockRefused",
    "NoToken",
    "NotShown",
    "NotToBeSeen",
    "OpenAtExit",
    "ReleaseFailed",
    "ResurrectedHandle",
    "SettingError",
    "SlowFinalizer",
    "TenureError",
    "TenureWarning",
    "UncheckedCapture",
    "UnlockedMemory",
    "UnsafeDirectory",
    "WrongThread",
]


class _Facts(Exception):
    """A message made of facts; ``message`` is the template, and each fact an attribute."""

    message = "{what}"

    def __init__(self, **facts: object) -> None:
        super().__init__(self.message.format_map(facts))
        self.facts = facts

    def __getattr__(self, name: str) -> object:
        try:
            return self.__dict__["facts"][name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no fact {name!r}") from None

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), {name: _portable(fact) for name, fact in self.facts.items()})


def _portable(fact: object) -> object:
    """A fact as it may travel to another process: sites and objects as their text."""
    return fact if isinstance(fact, str | int | float | None) else str(fact)


def _rebuild(cls: type[_Facts], facts: dict[str, object]) -> _Facts:
    return cls(**facts)


class TenureError(_Facts):
    """The root of what tenure raises."""


class ClosedHandle(TenureError, ValueError):
    """A handle was used after its end. Facts: ``which``, ``opened``, ``closed``."""

    message = "{which} is closed. Opened at {opened}, closed at {closed}. Use it before it is closed, or open another."


class DisownedHandle(ClosedHandle):
    """A forked child used what its parent owns. Facts: ``which``, ``opened``, ``owner`` (the parent's pid)."""

    message = (
        "{which} belongs to process {owner}, which opened it at {opened}; "
        "this process inherited a copy by fork. Open its own after the fork."
    )


class AlreadyClosed(ClosedHandle):
    """A second close, where ``configure(double_close="error")``. Facts: ``which``, ``opened``, ``closed``."""

    message = "{which} was already closed at {closed}. Opened at {opened}. Close it in one place, or use a with block."


class LeasedHandle(TenureError):
    """Close or detach was refused under a lease. Facts: ``which``, ``opened``, ``leases``, ``act``."""

    message = (
        "cannot {act} {which}: {leases} lease(s) are out. Opened at {opened}. "
        "End its uses first, or close(wait=True) to wait for them."
    )


class CloseTimeout(TenureError, TimeoutError):
    """Waiting for the release took too long. Facts: ``which``, ``opened``, ``leases``, ``timeout`` in seconds."""

    message = (
        "{which} is not released after {timeout} s: {leases} lease(s) are out. Opened at {opened}. "
        "It takes no new ones, and is released when the last is given back; with none out, its release still runs."
    )


class NoToken(TenureError, ValueError):
    """A factory returned None, which is how C's NULL arrives. Facts: ``factory``, ``site``."""

    message = (
        "{factory} returned None, which is no token, at {site}. Nothing was opened; ask the library for its error."
    )


class AlreadyOwned(TenureError, ValueError):
    """A second owner for one token would release it twice. Facts: ``which``, ``opened``, ``site``."""

    message = (
        "{which} already has an owner, since {opened}; a second one, at {site}, would release it twice. "
        "Share the first handle; if the library counts references, pass shared=True."
    )


class CapturedOwner(TenureError, ValueError):
    """A callback reaches the object whose end it waits for. Facts: ``callback``, ``owner``, ``path``."""

    message = (
        "{callback} would keep {owner} alive for ever: it reaches it by {path}. "
        "Pass a plain function or a static method: what it needs is given to it as its argument."
    )


class FinalizedReference(TenureError):
    """A finalizer reached another object with a finalizer. Facts: ``owner``, ``other``, ``path``, ``site``."""

    message = (
        "the finalizer of {owner}, set at {site}, reaches {other} by {path}, which has been finalized too, "
        "and no order is promised. Let one root own both: a Scope, or a handle with parent=."
    )


class WrongThread(TenureError):
    """A confined handle was used elsewhere. Facts: ``which``, ``opened``, ``owner``, ``thread``, ``act``."""

    message = (
        "cannot {act} {which} on thread {thread!r}: it is confined to {owner!r}, where it was opened at {opened}. "
        "Hand the work to that thread."
    )


class LeaksFound(TenureError, AssertionError):
    """The ledger was to be empty. Facts: ``count``, ``table`` (a line a site)."""

    message = "{count} handle(s) still open:\n{table}\nClose them, or open them in a with block."


class LockRefused(TenureError, MemoryError):
    """Secrets must be locked, and cannot be. Facts: ``size`` in bytes, ``why``."""

    message = (
        "{size} bytes for secrets could not be locked in memory: {why}. "
        "Raise the limit with `ulimit -l` or RLIMIT_MEMLOCK, or allow unlocked secrets (strict=False)."
    )


class NotShown(TenureError, OSError):
    """The ledger of this process cannot be shown to ``tenure ledger``. Facts: ``path``, ``why``."""

    message = "the ledger cannot be shown at {path}: {why}. Give serve() a path in a directory of your own."


class UnsafeDirectory(NotShown):
    """The directory for sockets is not this user's alone. Facts: ``path``."""

    message = "{path} is no directory that this user alone can enter. Remove it, or set XDG_RUNTIME_DIR to one that is."


class NotToBeSeen(TenureError, LookupError):
    """The ledger of another process cannot be looked at. Facts: ``pid``, ``why``, ``advice``."""

    message = "process {pid} {why}. {advice}"


class SettingError(TenureError, ValueError):
    """A setting got a value it does not know. Facts: ``setting``, ``value``, ``origin``, ``allowed``."""

    message = "{setting} cannot be {value!r} (from {origin}). Allowed: {allowed}."


class ImplementationUnavailable(TenureError, ImportError):
    """The implementation asked for cannot be loaded. Facts: ``asked``, ``why``."""

    message = (
        "TENURE_IMPL={asked} cannot be loaded: {why}. "
        "Unset it to take whichever loads, or reinstall where a C compiler is at hand."
    )


class TenureWarning(_Facts, ResourceWarning):
    """The root of what tenure warns of."""


class AbandonedHandle(TenureWarning):
    """A leak. Facts: ``which``, ``opened``, ``outcome``."""

    message = "{which} was never closed. Opened at {opened}. {outcome} Close it, or open it in a with block."


class OpenAtExit(TenureWarning):
    """Open when the process ended. Facts: ``which``, ``opened``, ``outcome``."""

    message = "{which} was still open at exit. Opened at {opened}. {outcome} Close it before the program ends."


class ResurrectedHandle(TenureWarning):
    """Abandoned, then reachable again. Facts: ``which``, ``opened``, ``holder``."""

    message = (
        "{which} was abandoned and is held again by {holder}; it is closed, and any use of it raises. "
        "Opened at {opened}. Do not store an object from its own __del__ or from a finalizer."
    )


class ReleaseFailed(TenureWarning):
    """A release raised on the release thread or at exit. Facts: ``which``, ``opened``, ``error``."""

    message = "releasing {which} failed: {error}. Opened at {opened}. Close it yourself to catch the error."


class FinalizerFailed(TenureWarning):
    """A finalizer raised. Facts: ``owner``, ``site``, ``error``."""

    message = "the finalizer of {owner}, set at {site}, failed: {error}. It will not run again."


class SlowFinalizer(TenureWarning):
    """A finalizer or release blocks the release thread. Facts: ``what``, ``site``, ``seconds``, ``waiting``."""

    message = (
        "{what}, from {site}, has run for {seconds:g} s; {waiting} other(s) wait behind it. "
        "Hand long work to a thread of your own."
    )


class UncheckedCapture(TenureWarning):
    """A callback reaches too much to be looked through. Facts: ``callback``, ``owner``, ``limit``, ``site``."""

    message = (
        "{callback} reaches more than {limit} objects; {owner} is not among those, and the others were not looked at. "
        "Given at {site}. If it reaches its owner, the owner lives for ever: bind only what it needs."
    )


class UnlockedMemory(TenureWarning):
    """Secret memory may be swapped out. Facts: ``size`` in bytes, ``why``."""

    message = (
        "{size} bytes for secrets could not be locked in memory: {why}. "
        "They may be written to swap. Raise the limit with `ulimit -l` or RLIMIT_MEMLOCK."
    )
