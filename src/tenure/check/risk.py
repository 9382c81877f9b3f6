"""How likely a call is to raise: ranked, so that a story with an unlikely exception is told last."""

from __future__ import annotations

import ast
from typing import Final

from tenure.check.modules import Function, dotted_text
from tenure.check.openers import BUILTIN_SAFE, CLOSER_NAMES, OPENERS, SAFE_CALLS, Kind, is_stdlib
from tenure.check.reading import nodes_of
from tenure.check.words import words

__all__ = ["RAISED", "never_returns", "risk_of_function", "risk_of_method", "risk_of_name", "risk_of_unknown"]

#: An exception of a class nobody asked about, but one that somebody raises on purpose.
RAISED: Final = "?"
_OS: Final = "builtins.OSError"
_VALUE: Final = "builtins.ValueError"

#: Modules whose functions fail on what they are given as a matter of course, and with what.
_RISKY: Final = {
    "json": _VALUE,
    "pickle": "",
    "marshal": _VALUE,
    "struct": "",
    "subprocess": "",
    "urllib": _OS,
    "http": _OS,
    "ssl": _OS,
    "socket": _OS,
    "configparser": "",
    "xml": "",
    "zipfile": "",
    "tarfile": "",
    "csv": "",
    "plistlib": "",
    "ast": "",
    "tokenize": "",
    "importlib": "",
    "shutil": _OS,
    "sqlite3": "",
    "tomllib": _VALUE,
    "asyncio": "",
}

#: Functions that write through a descriptor, to a disk that may be full or to somebody who may have gone.
_TRANSFERS: Final = words(
    "os.write os.writev os.pwrite os.sendfile os.splice os.copy_file_range os.fsync os.fdatasync os.ftruncate"
    " os.posix_fallocate"
)

#: Methods that raise one thing only, whatever they belong to.
_RAISED_BY: Final = {"decode": "builtins.UnicodeDecodeError", "index": _VALUE, "remove": _VALUE}

#: Methods of strings, lists and the like that do not fail in practice.
_CALM_METHODS: Final = words(
    "strip rstrip lstrip split rsplit splitlines lower upper title startswith endswith append extend items keys"
    " values get join replace format copy add discard update clear count isdigit isspace isalpha group groups"
    " start end span debug info warn warning error exception log setdefault sort reverse insert encode zfill ljust"
    " rjust center partition rpartition casefold capitalize hexdigest digest acquire release locked set is_set"
    " notify notify_all is_alive exists is_file is_dir as_posix with_suffix with_name joinpath flush isatty fileno"
    " total_seconds isoformat pop cancel done cancelled add_done_callback setLevel addHandler isEnabledFor"
    " isidentifier swapcase translate match search fullmatch finditer findall sub setblocking settimeout strftime"
    " isalnum isupper islower removeprefix removesuffix set_inheritable setFormatter addFilter"
    " timestamp getvalue difference union intersection issubset appendleft popitem hex getLogger expandtabs"
)


_ENDS: Final = CLOSER_NAMES - {"unlink", "destroy", "disconnect", "communicate"}


def risk_of_name(dotted: str) -> tuple[int, str]:
    """Level and class of exception for a function known by name."""
    module, _, last = dotted.partition(".")
    if dotted in SAFE_CALLS or (module == "builtins" and last in BUILTIN_SAFE):
        return 0, ""
    if module == "builtins":
        return 1, ""
    if dotted.startswith("cffi."):
        return 1, ""
    if dotted in _TRANSFERS:
        return 2, _OS
    if is_stdlib(dotted):
        made = dotted.rpartition(".")[2][:1].isupper()
        return (2, _RISKY[module]) if module in _RISKY and not made else (1, "")
    owner, _, last = dotted.rpartition(".")
    if last in _CALM_METHODS and "." in owner:
        return 0, ""  # of an object that was imported: ``settings.logger.debug()``
    return 1 if last[:1].isupper() else 2, ""  # what is named like a class makes an object


def risk_of_unknown(method: str) -> tuple[int, str]:
    """Level for a method of an object nothing is known of, or (no name) for an unknown function."""
    if method[:1].isupper() or method in _ENDS:
        return 1, ""  # it makes an object, or ends one
    return (0, "") if method in _CALM_METHODS else (2, _RAISED_BY.get(method, ""))


def risk_of_method(kind: Kind, name: str, node: ast.Call) -> tuple[int, str]:
    """Level for a method of a resource."""
    if name in kind.calm or name in kind.closers or name in kind.after or name in ("__enter__", "__exit__"):
        return 0, ""
    if name == "bind" and _is_any_port(node):
        return 1, _OS
    if kind.risky:
        return 2, _OS if "socket" in kind.noun else ""
    return 1, _OS if kind.noun in ("file", "temporary file", "descriptor") else ""


def _is_any_port(node: ast.Call) -> bool:
    """``bind(("127.0.0.1", 0))``: some port is always free."""
    address = node.args[0] if node.args else None
    if not isinstance(address, ast.Tuple) or not all(isinstance(part, ast.Constant) for part in address.elts):
        return False
    last = address.elts[-1] if address.elts else None
    return isinstance(last, ast.Constant) and last.value == 0


def never_returns(function: Function) -> bool:
    """Whether every way through the function ends in an exception, as far as its outline tells."""
    if isinstance(function.node, ast.Module) or function.generator:
        return False
    if function.node.returns is not None and ast.unparse(function.node.returns).endswith(("NoReturn", "Never")):
        return True
    simple = all(isinstance(s, ast.Expr | ast.Assign | ast.Raise) for s in function.node.body)
    return simple and isinstance(function.node.body[-1], ast.Raise) and function.owner is None


def risk_of_function(function: Function) -> tuple[int, str]:
    """Level for a function of the project: what its own body calls."""
    if isinstance(function.node, ast.Module):
        return 2, ""
    level, kind = _risk_of_body(function), ""
    if function.raises:
        kind = function.module.resolve(next(iter(function.raised))) if len(function.raised) == 1 and level < 2 else ""
        return 2, kind if kind.startswith("builtins.") else RAISED
    return level, ""


def _risk_of_body(function: Function) -> int:
    """The most likely exception among those that come from the calls in it."""
    level = 0
    handled: set[int] = set()
    for node in nodes_of(function):
        if isinstance(node, ast.Try) and node.handlers:
            handled |= {id(inner) for statement in node.body for inner in ast.walk(statement)}
        elif isinstance(node, ast.Call):
            opens = id(node) not in handled and _opens(node, function)
            level = 2 if opens else max(level, _risk_of_call(node, function))
            if level == 2:
                break
    return level


def _opens(node: ast.Call, function: Function) -> bool:
    """Whether it opens what may not be there."""
    text = dotted_text(node.func)
    opener = OPENERS.get(function.module.resolve(text)) if text else None
    return opener is not None and opener.risky and bool(node.args or node.keywords)


def _risk_of_call(node: ast.Call, function: Function) -> int:
    if isinstance(node.func, ast.Attribute):
        name = node.func.attr
        if name in _CALM_METHODS or name in ("close", "aclose", "wait", "shutdown", "release"):
            return 0
    text = ast.unparse(node.func)
    if text in ("cast", "super") or text in function.inner:
        return 0
    dotted = function.module.resolve(text) if text.replace(".", "").isidentifier() else ""
    return risk_of_name(dotted)[0] if dotted else 2
