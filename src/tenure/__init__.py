"""Ownership for native resources: closed on every path, never used after release, every leak named with its line.

The public names. Each is imported when it is first asked for, so that ``import tenure`` itself costs next to nothing,
starts no thread and registers nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as type checkers read it; importing ``typing`` would be all that this import costs
if TYPE_CHECKING:
    from typing import Any, Final

    from tenure import errors, foreign, lifecycle
    from tenure._impl import implementation
    from tenure._impl.contract import Counts, Entry
    from tenure.memory import Buffer, SecretBuffer
    from tenure.runtime import finalizers, inspect, ledger
    from tenure.runtime.abandoned import drain
    from tenure.runtime.acquisition import open_async
    from tenure.runtime.finalizers import keep_alive, set_finalizer
    from tenure.runtime.handle import Handle, Lease, open, own
    from tenure.runtime.scope import Scope
    from tenure.runtime.settings import Settings, configure, settings

__all__ = [
    "Buffer",
    "Counts",
    "Entry",
    "Handle",
    "Lease",
    "Scope",
    "SecretBuffer",
    "Settings",
    "__version__",
    "configure",
    "drain",
    "errors",
    "finalizers",
    "foreign",
    "implementation",
    "inspect",
    "keep_alive",
    "ledger",
    "lifecycle",
    "open",
    "open_async",
    "own",
    "set_finalizer",
    "settings",
]

__version__: Final = "0.1.0"

#: Where each public name lives; a name that is a module itself stands with an empty attribute.
_HOMES: Final[dict[str, tuple[str, str]]] = {
    "Buffer": ("tenure.memory", "Buffer"),
    "Counts": ("tenure._impl.contract", "Counts"),
    "Entry": ("tenure._impl.contract", "Entry"),
    "Handle": ("tenure.runtime.handle", "Handle"),
    "Lease": ("tenure.runtime.handle", "Lease"),
    "Scope": ("tenure.runtime.scope", "Scope"),
    "SecretBuffer": ("tenure.memory", "SecretBuffer"),
    "Settings": ("tenure.runtime.settings", "Settings"),
    "configure": ("tenure.runtime.settings", "configure"),
    "drain": ("tenure.runtime.abandoned", "drain"),
    "errors": ("tenure.errors", ""),
    "finalizers": ("tenure.runtime.finalizers", ""),
    "foreign": ("tenure.foreign", ""),
    "implementation": ("tenure._impl", "implementation"),
    "inspect": ("tenure.runtime.inspect", ""),
    "keep_alive": ("tenure.runtime.finalizers", "keep_alive"),
    "ledger": ("tenure.runtime.ledger", ""),
    "lifecycle": ("tenure.lifecycle", ""),
    "open": ("tenure.runtime.handle", "open"),
    "open_async": ("tenure.runtime.acquisition", "open_async"),
    "own": ("tenure.runtime.handle", "own"),
    "set_finalizer": ("tenure.runtime.finalizers", "set_finalizer"),
    "settings": ("tenure.runtime.settings", "settings"),
}


def __getattr__(name: str) -> Any:
    try:
        module, attribute = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'tenure' has no attribute {name!r}") from None
    home = __import__(module, fromlist=("__name__",))  # with a name to find there, it is the module itself
    value = globals()[name] = getattr(home, attribute) if attribute else home
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
