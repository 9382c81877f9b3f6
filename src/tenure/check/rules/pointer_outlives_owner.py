"""A pointer is stored where nothing keeps the memory alive that it points to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from tenure.check.foreign import (
    STRUCTURES,
    address_of,
    allocated_names,
    allocates_owned,
    arrays_made,
    data_of,
    foreign_name,
    is_foreign,
    keeper_pairs,
    unpacked_calls,
    whole,
)
from tenure.check.modules import Class, Function, dotted_text
from tenure.check.reading import nodes_of, passes_on, reads_of, resolved, self_name, statements_of, stays_local
from tenure.check.rule import Draft, Rule
from tenure.check.scene import Scene
from tenure.check.words import words

__all__ = ["RULE", "judge"]

_FREES: Final = re.compile(r"(?:^|_)(?:free|release|destroy|delete|unref|dealloc|munmap)(?:_|$)", re.I)
#: Calls whose result is the memory they are given, in another form.
_VIEWS: Final = words("numpy.ctypeslib.as_array numpy.frombuffer ctypes.cast cffi.FFI.buffer cffi.FFI.cast")


def judge(scene: Scene) -> Iterator[Draft]:
    """Memory stored in a C struct only, or whose keeper is dropped or bound anew too early."""
    if not is_foreign(scene.module):
        return
    for function in scene.module.functions.values():
        yield from _stored(scene, function)
        yield from _keepers(scene, function)
        yield from _left_behind(scene, function)
        yield from _filled(scene, function)
        yield from _returned(scene, function)
        yield from _freed(scene, function)


def _stored(scene: Scene, function: Function) -> Iterator[Draft]:
    """``struct.field = ffi.new(...)``: a C struct keeps no reference."""
    for statement in statements_of(function):
        if not isinstance(statement, ast.Assign) or not allocates_owned(scene.module, statement.value):
            continue
        for target in statement.targets:
            if _holds_nothing(scene, function, target):
                message = (
                    f"`{ast.unparse(target)}` points to memory that is freed at once: a C struct keeps nothing alive"
                )
                yield Draft(statement, message)


def _holds_nothing(scene: Scene, function: Function, target: ast.expr) -> bool:
    """A field of a C struct, or an item of a C array."""
    if isinstance(target, ast.Attribute | ast.Subscript) and _in_own_struct(scene, function, target.value):
        return True
    if isinstance(target, ast.Attribute):
        return _is_struct(scene, function, whole(target.value))
    base = target.value if isinstance(target, ast.Subscript) else None
    return isinstance(base, ast.Name) and base.id in allocated_names(scene.module, function)


def _in_own_struct(scene: Scene, function: Function, node: ast.expr) -> bool:
    """``self.request``, or a part of it, where the class puts memory of cffi's into ``self.request``."""
    own = self_name(function)
    while isinstance(node, ast.Subscript | ast.Attribute) and dotted_text(node.value) != own:
        node = node.value
    text = dotted_text(node)
    if function.owner is None or not own or not text.startswith(f"{own}."):
        return False
    assigned = (n for n in ast.walk(function.owner.node) if isinstance(n, ast.Assign))
    return any(allocates_owned(scene.module, n.value) for n in assigned if text in map(dotted_text, n.targets))


def _is_struct(scene: Scene, function: Function, node: ast.expr) -> bool:
    """A local that is no Python object known to be one."""
    if not isinstance(node, ast.Name) or node.id in ("self", "cls"):
        return False
    for statement in statements_of(function):
        if isinstance(statement, ast.Assign) and any(dotted_text(t) == node.id for t in statement.targets):
            value = statement.value
            made = resolved(scene.module, value.func) if isinstance(value, ast.Call) else ""
            if made and isinstance(scene.project.find(scene.module.root, made), Class):
                return False
    return not scene.module.resolve(node.id)


def _left_behind(scene: Scene, function: Function) -> Iterator[Draft]:
    """``buffer = ffi.new(...); struct.field = buffer``: the struct goes on, the buffer stays behind and dies."""
    assigned = [s for s in statements_of(function) if isinstance(s, ast.Assign)]
    owned = {dotted_text(t) for s in assigned if allocates_owned(scene.module, s.value) for t in s.targets}
    for statement in assigned:
        target = statement.targets[0]
        if not isinstance(target, ast.Attribute):
            continue
        struct, owner = dotted_text(target.value), dotted_text(statement.value)
        if owner not in owned:
            owner = _addressed(scene, function, statement.value)
        if not owner or reads_of(function, owner) != 1:
            continue
        if struct in _going_on(function) or (struct and struct == self_name(function) and owner not in owned):
            yield Draft(statement, f"`{struct}` goes on, and `{owner}`, which it points to, dies here")


def _filled(scene: Scene, function: Function) -> Iterator[Draft]:
    """``made = Structure(addressof(buffer))``: what is made goes on, the buffer it points to does not."""
    for statement in statements_of(function):
        if not isinstance(statement, ast.Assign) or not _lays_out(scene, statement.value):
            continue
        made = dotted_text(statement.targets[0])
        owners = [_addressed(scene, function, n) for n in ast.walk(statement.value) if isinstance(n, ast.expr)]
        for owner in owners:
            if owner and made in _going_on(function) and reads_of(function, owner) == 1:
                yield Draft(statement, f"`{made}` goes on, and `{owner}`, which it points to, dies here")
                break


def _lays_out(scene: Scene, node: ast.expr) -> bool:
    """Whether it makes a structure, which takes numbers for pointers and keeps nothing alive by them."""
    made = resolved(scene.module, node.func) if isinstance(node, ast.Call) else ""
    found = scene.project.find(scene.module.root, made) if made else None
    lineage = scene.project.lineage(found) if isinstance(found, Class) else iter(())
    return any(cls is not None and not STRUCTURES.isdisjoint(cls.bases) for cls in lineage)


def _going_on(function: Function) -> set[str]:
    """What is still there when the function is done: what it was given, and what it returns."""
    returned = {dotted_text(n.value) for n in nodes_of(function) if isinstance(n, ast.Return) and n.value is not None}
    return (returned | set(function.parameters)) - {"", self_name(function), "cls"}


def _addressed(scene: Scene, function: Function, value: ast.expr) -> str:
    """The local whose bare address an expression gives."""
    taken = address_of(scene.module, value)
    base = whole(taken) if taken is not None else None
    return base.id if isinstance(base, ast.Name) and base.id in allocated_names(scene.module, function) else ""


def _returned(scene: Scene, function: Function) -> Iterator[Draft]:
    """``return addressof(buffer)``, ``return wrapper.pointer``: the owner is a local, which dies here."""
    for node in nodes_of(function):
        if not isinstance(node, ast.Return) or node.value is None:
            continue
        owner = _owner_of(scene, function, node.value)
        if owner and stays_local(function, owner):
            yield Draft(node, f"the pointer that is returned leads into `{owner}`, which dies here")


def _owner_of(scene: Scene, function: Function, value: ast.expr) -> str:
    """The local that owns what an address leads to."""
    if address_of(scene.module, value) is not None:
        return _addressed(scene, function, value)
    array = data_of(value)
    if isinstance(array, ast.Name) and array.id in arrays_made(scene.module, function):
        return array.id
    if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
        return value.value.id if _frees(scene, function, value.value.id, value.attr) else ""
    return ""


def _frees(scene: Scene, function: Function, name: str, attribute: str) -> bool:
    """Whether a local is of a class whose ``__del__`` frees the attribute."""
    for statement in statements_of(function):
        if isinstance(statement, ast.Assign) and [dotted_text(t) for t in statement.targets] == [name]:
            made = resolved(scene.module, statement.value.func) if isinstance(statement.value, ast.Call) else ""
            found = scene.project.find(scene.module.root, made) if made else None
            method = scene.project.method(found, "__del__") if isinstance(found, Class) else None
            return method is not None and passes_on(method, attribute)
    return False


def _freed(scene: Scene, function: Function) -> Iterator[Draft]:
    """``try: return as_array(data) finally: lib.free(data)``: what is returned shows memory that is freed by then."""
    shown = {
        dotted_text(s.targets[0]): _shown_by(scene, s.value)
        for s in statements_of(function)
        if isinstance(s, ast.Assign)
    }
    for statements, freeing in _before_leaving(function):
        freed = {name for statement in freeing for name in _freed_by(statement)}
        for node in statements if freed else ():
            if isinstance(node, ast.Return) and node.value is not None:
                base = _shown_by(scene, node.value) or shown.get(dotted_text(node.value), "")
                if base in freed:
                    yield Draft(node, f"what is returned shows the memory of `{base}`, which is freed here")


def _before_leaving(function: Function) -> Iterator[tuple[list[ast.AST], list[ast.stmt]]]:
    """Places to return from, and what is done before that: what stands above in the same block, and ``finally``."""
    for node in [function.node, *nodes_of(function)]:
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[-1], ast.Return):
                yield [block[-1]], block[:-1]
        if isinstance(node, ast.Try) and node.finalbody:
            yield [inner for statement in node.body for inner in ast.walk(statement)], node.finalbody


def _freed_by(statement: ast.stmt) -> Iterator[str]:
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and _FREES.search(dotted_text(call.func).rpartition(".")[2]):
        yield from (argument.id for argument in call.args if isinstance(argument, ast.Name))


def _shown_by(scene: Scene, node: ast.expr) -> str:
    """The local whose memory an expression shows without a copy of it."""
    if not isinstance(node, ast.Call):
        return ""
    name = foreign_name(scene.module, node.func)
    if name not in _VIEWS and not (name.startswith("ctypes.") and name.endswith(".from_address")):
        return ""
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    return next((argument.id for argument in given if isinstance(argument, ast.Name)), "")


def _keepers(scene: Scene, function: Function) -> Iterator[Draft]:
    """``struct, keeper = make()``: the keeper must live as long as the struct is used."""
    for statement, call, names in unpacked_calls(function):
        pairs = keeper_pairs(scene, function, call)
        for struct, keeper in pairs:
            victim = _victim(function, statement, names, struct, keeper)
            if victim is not None:
                yield Draft(*victim)


def _victim(
    function: Function, statement: ast.stmt, names: list[str], struct: int, keeper: int
) -> tuple[ast.AST, str] | None:
    if keeper >= len(names) or not names[keeper]:
        message = "what keeps the memory of this struct alive is dropped: it points to freed memory from here on"
        return (statement, message) if struct < len(names) and names[struct] else None
    rebinding = _rebound_later(function, statement, names[keeper])
    if rebinding is None or not _used_after(function, rebinding, names[struct]):
        return None
    place = rebinding if _same_block(function, statement, rebinding) else statement
    return (
        place,
        f"`{names[keeper]}` kept the memory `{names[struct]}` points to, and is bound anew before that is used",
    )


def _rebound_later(function: Function, statement: ast.stmt, name: str) -> ast.stmt | None:
    for other in statements_of(function):
        if isinstance(other, ast.Assign) and other.lineno > statement.lineno and name in _names(other):
            return other
    return None


def _names(statement: ast.Assign) -> set[str]:
    return {n.id for t in statement.targets for n in ast.walk(t) if isinstance(n, ast.Name)}


def _used_after(function: Function, statement: ast.stmt, name: str) -> bool:
    return any(
        isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, ast.Load)
        and node.lineno > statement.lineno
        for node in nodes_of(function)
    )


def _same_block(function: Function, one: ast.stmt, other: ast.stmt) -> bool:
    blocks = [function.node.body]
    for statement in statements_of(function):
        blocks += [b for n in ("body", "orelse", "finalbody") if isinstance(b := getattr(statement, n, None), list)]
    return any(one in block and other in block for block in blocks)


RULE: Final = Rule(
    "pointer-outlives-owner",
    "TEN502",
    "A pointer is stored where nothing keeps the memory alive that it points to.",
    scene=judge,
)
