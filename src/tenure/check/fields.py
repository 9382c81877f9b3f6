"""The constructor that a dataclass has without anybody having written it."""

from __future__ import annotations

import ast
from typing import Final

from tenure.check.modules import Class, dotted_text

__all__ = ["constructor_of"]

_DATACLASS: Final = "dataclasses.dataclass"
#: Bases that bring no fields.
_PLAIN: Final = frozenset({"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"})
#: It may keep what it is given.
_UNTOLD: Final = "def __init__(self, *args, **kwargs): ..."


def constructor_of(cls: Class) -> ast.FunctionDef | None:
    """``__init__`` as ``@dataclass`` writes it; ``None`` for a class that has its own, or that is no dataclass."""
    if "__init__" in cls.methods or not any(_writes(cls, decorator) for decorator in cls.node.decorator_list):
        return None
    fields = [s for s in cls.node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]
    if not _PLAIN.issuperset(cls.bases) or any(_says(field, "InitVar") for field in fields):
        text = _UNTOLD  # some of the fields are elsewhere
    else:
        text = _text([field for field in fields if _is_given(field)], "__post_init__" in cls.methods)
    made = ast.parse(text).body[0]
    assert isinstance(made, ast.FunctionDef)
    for node in ast.walk(made):
        ast.copy_location(node, cls.node)
    return made


def _writes(cls: Class, decorator: ast.expr) -> bool:
    """``@dataclass``, with any arguments but ``init=False``."""
    call = decorator if isinstance(decorator, ast.Call) else None
    if cls.module.resolve(dotted_text(call.func if call is not None else decorator)) != _DATACLASS:
        return False
    return call is None or not any(k.arg == "init" and _is_false(k.value) for k in call.keywords)


def _is_given(field: ast.AnnAssign) -> bool:
    """Neither a class variable nor ``field(init=False)``."""
    named = field.value.keywords if isinstance(field.value, ast.Call) else []
    left_out = any(keyword.arg == "init" and _is_false(keyword.value) for keyword in named)
    return not left_out and not _says(field, "ClassVar")


def _says(field: ast.AnnAssign, word: str) -> bool:
    whole = field.annotation.value if isinstance(field.annotation, ast.Subscript) else field.annotation
    return dotted_text(whole).rpartition(".")[2] == word


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _text(fields: list[ast.AnnAssign], then: bool) -> str:
    """Every parameter has a default, so that any order will do; ``...`` is one that says nothing."""
    names = [ast.unparse(field.target) for field in fields]
    defaults = [ast.unparse(f.value) if isinstance(f.value, ast.Constant) else "..." for f in fields]
    parameters = ", ".join(["self", *(f"{n}={d}" for n, d in zip(names, defaults, strict=True))])
    body = [*(f"self.{name} = {name}" for name in names), *(["self.__post_init__()"] if then else [])]
    return f"def __init__({parameters}): {'; '.join(body) or 'pass'}"
