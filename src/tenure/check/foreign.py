"""What ctypes and cffi expressions allocate, point to and keep alive."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

from tenure.check.modules import Function, Module, dotted_text
from tenure.check.reading import nodes_of, resolved, statements_of
from tenure.check.scene import Scene
from tenure.check.words import words

__all__ = [
    "STRUCTURES",
    "address_of",
    "allocated_names",
    "allocates",
    "allocates_owned",
    "arrays_made",
    "data_of",
    "foreign_name",
    "is_foreign",
    "is_temporary",
    "keeper_pairs",
    "makes_callback",
    "unpacked_calls",
    "whole",
]

#: Calls whose result owns memory and frees it when it dies.
_ALLOCATORS: Final = words(
    "ctypes.create_string_buffer ctypes.create_unicode_buffer ctypes.c_char_p ctypes.c_wchar_p ctypes.c_int"
    " ctypes.c_uint ctypes.c_long ctypes.c_ulong ctypes.c_size_t ctypes.c_int32 ctypes.c_int64 ctypes.c_uint32"
    " ctypes.c_uint64 ctypes.c_double ctypes.c_float ctypes.c_void_p ctypes.c_ubyte ctypes.c_byte ctypes.c_char"
    " cffi.FFI.new cffi.FFI.from_buffer cffi.FFI.gc builtins.bytearray"
)

#: Classes that lay out C memory.
STRUCTURES: Final = words(
    "ctypes.Structure ctypes.Union ctypes.BigEndianStructure ctypes.LittleEndianStructure ctypes.BigEndianUnion"
)
#: Functions of numpy that always make a new array.
_FRESH_ARRAYS: Final = words("numpy.zeros numpy.empty numpy.ones numpy.full numpy.arange numpy.array numpy.copy")

#: Functions and methods that show the memory of what they are given.
_LOOKS: Final = frozenset({"asarray", "asanyarray", "frombuffer", "view", "reshape", "ravel"})

#: Calls that give a bare number or a pointer which keeps nothing alive, by the position of what they look at.
_ADDRESSES: Final = {"ctypes.addressof": 0, "cffi.FFI.addressof": 0, "cffi.FFI.cast": 1}
_NATIVE: Final = re.compile(r"\b_?(?:ctypes|cffi|ffi)\b")
#: Functions are followed into each other, so many deep.
_DEEPEST: Final = 2
_PROTOTYPES: Final = frozenset({"ctypes.CFUNCTYPE", "ctypes.WINFUNCTYPE", "ctypes.PYFUNCTYPE"})


def foreign_name(module: Module, node: ast.expr) -> str:
    """The dotted name of a function, methods of a module-level ``ffi`` included."""
    text = dotted_text(node)
    dotted = module.resolve(text) if text else ""
    first, _, rest = text.partition(".")
    if not dotted and first in module.values:
        dotted = ""
    if rest and (first in ("ffi", "_ffi") or first.endswith("ffi")) and not dotted.startswith("cffi."):
        return f"cffi.FFI.{rest}"  # built elsewhere and imported: ``from ._lib import ffi``
    return dotted


def allocates(module: Module, node: ast.expr) -> bool:
    """Whether an expression makes memory that dies with it."""
    if not isinstance(node, ast.Call):
        return False
    name = foreign_name(module, node.func)
    if name in _ALLOCATORS:
        return True
    if name.startswith("ctypes.") and name.endswith(".from_buffer"):  # a view of what may be a temporary itself
        return any(allocates(module, argument) for argument in node.args)
    if _is_structure(module, node.func):
        return True
    array = node.func
    if isinstance(array, ast.BinOp) and isinstance(array.op, ast.Mult):  # ``(c_int * 4)()``
        return resolved(module, array.left).startswith("ctypes.")
    return False


def _is_structure(module: Module, node: ast.expr) -> bool:
    """A class of this module that ctypes lays out in memory."""
    cls = module.classes.get(node.id) if isinstance(node, ast.Name) else None
    return cls is not None and not STRUCTURES.isdisjoint(cls.bases)


def whole(node: ast.expr) -> ast.expr:
    """What a part belongs to: ``p`` for ``p[0]``, ``p.contents`` and ``p[0].field``."""
    while isinstance(node, ast.Subscript | ast.Attribute):
        node = node.value
    return node


def allocated_names(module: Module, function: Function) -> set[str]:
    """Local names for memory that dies with the object they stand for."""
    return _named(function, lambda value: allocates(module, value))


def arrays_made(module: Module, function: Function) -> set[str]:
    """Local names for new arrays."""
    return _named(function, lambda value: _makes_array(module, value))


def _named(function: Function, fits: Callable[[ast.expr], bool]) -> set[str]:
    made = (s for s in statements_of(function) if isinstance(s, ast.Assign) and fits(s.value))
    return {target.id for statement in made for target in statement.targets if isinstance(target, ast.Name)}


def allocates_owned(module: Module, node: ast.expr) -> bool:
    """Memory of cffi's, freed with the object that ``new`` gives."""
    return isinstance(node, ast.Call) and foreign_name(module, node.func) in ("cffi.FFI.new", "cffi.FFI.from_buffer")


def is_foreign(module: Module) -> bool:
    """Whether the module says anything of native memory at all."""
    names = {*module.imports, *module.imports.values()}
    told = any(word in module.text for word in ("__del__", ".ctypes", "__array_interface__"))
    return told or any(_NATIVE.search(name) for name in names)


def address_of(module: Module, node: ast.AST) -> ast.expr | None:
    """What an expression takes the address of, if that is what it does."""
    if isinstance(node, ast.Attribute) and node.attr == "value" and isinstance(node.value, ast.Call):
        call = node.value
        if foreign_name(module, call.func) == "ctypes.cast" and call.args:
            return call.args[0]
    if isinstance(node, ast.Call):
        position = _ADDRESSES.get(foreign_name(module, node.func))
        if position is not None and position < len(node.args):
            return node.args[position]
    return None


def data_of(node: ast.AST) -> ast.expr | None:
    """The array whose address an expression gives as a number: ``a.ctypes.data``, ``a.__array_interface__[...]``."""
    if isinstance(node, ast.Attribute) and node.attr == "data":
        inner = node.value
        return inner.value if isinstance(inner, ast.Attribute) and inner.attr == "ctypes" else None
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute):
        is_data = isinstance(node.slice, ast.Constant) and node.slice.value == "data"
        return node.value.value if node.value.attr == "__array_interface__" and is_data else None
    return None


def _makes_array(module: Module, node: ast.expr) -> bool:
    """A new array, which nobody else knows."""
    return isinstance(node, ast.Call) and resolved(module, node.func) in _FRESH_ARRAYS


def is_temporary(node: ast.expr) -> bool:
    """An expression whose value has no name, and which is more than another look at something that has."""
    if isinstance(node, ast.Call) and dotted_text(node.func).rpartition(".")[2] in _LOOKS:
        return False
    return isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call)


def makes_callback(scene: Scene, module: Module, node: ast.expr, depth: int = 0) -> bool:
    """``CFUNCTYPE(...)(f)``, ``PROTO(f)`` of a module's prototype, ``ffi.callback(...)``, a function that gives one."""
    if not isinstance(node, ast.Call):
        return False
    if foreign_name(module, node.func) in ("cffi.FFI.callback", "cffi.FFI.new_handle"):
        return True
    dotted, home = resolved(module, node.func), module
    maker: ast.expr | None = node.func
    if not isinstance(node.func, ast.Call):
        home, maker = scene.project.value(module, dotted_text(node.func))
    if isinstance(maker, ast.Call):
        return resolved(home, maker.func) in _PROTOTYPES
    made = scene.project.find(module.root, dotted) if dotted and depth < _DEEPEST else None
    if not isinstance(made, Function) or isinstance(made.node, ast.AsyncFunctionDef):
        return False
    returned = (s.value for s in statements_of(made) if isinstance(s, ast.Return) and s.value is not None)
    return any(makes_callback(scene, made.module, value, depth + 1) for value in returned)


def unpacked_calls(function: Function) -> Iterator[tuple[ast.Assign, ast.Call, list[str]]]:
    """``a, b = f()`` and ``a = f()[0]``: the names its members go to, empty for one that is dropped."""
    for statement in statements_of(function):
        if not isinstance(statement, ast.Assign):
            continue
        target, value = statement.targets[0], statement.value
        if isinstance(value, ast.Call) and isinstance(target, ast.Tuple):
            yield statement, value, [dotted_text(member) for member in target.elts]
        elif isinstance(value, ast.Subscript) and isinstance(value.value, ast.Call) and _position(value) is not None:
            yield statement, value.value, ["" for _ in range(_position(value) or 0)] + [dotted_text(target)]


def _position(node: ast.Subscript) -> int | None:
    return node.slice.value if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int) else None


def keeper_pairs(scene: Scene, function: Function, call: ast.Call) -> list[tuple[int, int]]:
    """(struct, keeper): members of the returned tuple of which the second keeps the first's memory alive."""
    called = _called(scene, function, call)
    return _pairs(scene.module, called) if called is not None else []


def _called(scene: Scene, function: Function, call: ast.Call) -> Function | None:
    """The function called, or the only method of that name in the module."""
    dotted = resolved(scene.module, call.func)
    found = scene.project.find(scene.module.root, dotted) if dotted else None
    if isinstance(found, Function):
        return found
    if not isinstance(call.func, ast.Attribute):
        return None
    name = call.func.attr
    methods = [cls.methods[name] for cls in scene.module.classes.values() if name in cls.methods]
    return methods[0] if len(methods) == 1 else None


def _pairs(module: Module, called: Function) -> list[tuple[int, int]]:
    """Read off ``struct.field = keeper`` and ``return struct, keeper``."""
    stored = {
        (dotted_text(target.value), dotted_text(statement.value))
        for statement in statements_of(called)
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Attribute)
    }
    owned = {
        dotted_text(target)
        for statement in statements_of(called)
        if isinstance(statement, ast.Assign) and allocates_owned(called.module, statement.value)
        for target in statement.targets
    }
    for node in nodes_of(called):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            names = [dotted_text(member) for member in node.value.elts]
            return [
                (i, j)
                for i, struct in enumerate(names)
                for j, keeper in enumerate(names)
                if (struct, keeper) in stored and keeper in owned
            ]
    return []
