"""Which exception an ``except`` clause is for, as far as classes are known by name."""

from __future__ import annotations

import ast
import builtins
from typing import Final

from tenure.check.modules import Module, dotted_text
from tenure.check.state import Error

__all__ = ["catches", "named"]

_ALIASES: Final = {
    "builtins.IOError": "builtins.OSError",
    "builtins.EnvironmentError": "builtins.OSError",
    "socket.error": "builtins.OSError",
    "os.error": "builtins.OSError",
    "select.error": "builtins.OSError",
    "socket.timeout": "builtins.TimeoutError",
    "json.JSONDecodeError": "builtins.ValueError",
    "json.decoder.JSONDecodeError": "builtins.ValueError",
    "urllib.error.URLError": "builtins.OSError",
    "ssl.SSLError": "builtins.OSError",
}


def catches(module: Module, kind: ast.expr | None, error: Error | None) -> bool | None:
    """Whether a handler for ``kind`` takes an exception; ``None`` when that depends."""
    if kind is None:
        return True
    if isinstance(kind, ast.Tuple):
        answers = [catches(module, member, error) for member in kind.elts]
        return True if True in answers else (None if None in answers else False)
    name = module.resolve(dotted_text(kind))
    if name == "builtins.BaseException":
        return True
    thrown = error.type if error is not None else ""
    if thrown == "builtins.GeneratorExit":
        return name == thrown
    if name == "builtins.Exception" or name == thrown:
        return True
    return _related(_ALIASES.get(thrown, thrown), _ALIASES.get(name, name))


def _related(thrown: str, handled: str) -> bool | None:
    """Whether an exception of one class is one of another; ``None`` when the class is not known well enough."""
    first, second = (getattr(builtins, n.partition(".")[2], None) for n in (thrown, handled))
    if not isinstance(first, type) or not isinstance(second, type):
        return None
    if issubclass(first, second):
        return True
    return None if issubclass(second, first) else False


def named(kind: ast.expr | None) -> set[str]:
    """The last names of the classes a handler is for."""
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind] if kind is not None else []
    return {dotted_text(member).rpartition(".")[2] for member in kinds}
