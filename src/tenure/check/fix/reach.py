"""How far a resource reaches: the last statement that needs it open, through everything that was made from it.

A value made from an open resource may read through it later: ``csv.reader(f)`` is of no use once ``f`` is closed,
``f.read()`` is. Where a value goes is followed upwards from each mention of the variable; where it goes is a table
by the kind of syntax around it. What gets away (returned, stored, given to an unknown function) has no known end, and
then there is no fix.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, cast

import libcst as cst
from libcst.helpers import get_full_name_for_node

from tenure.check.fix.place import Place, name_uses

__all__ = ["last_need", "stays_inside", "used_up"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Methods that hand out plain values, or none: what they return needs nothing to stay open. What has an effect for as
#: long as the resource is open (a lock, a port that is bound) is not here: there the last mention is not the last need.
_PLAIN_METHODS: Final = _set(
    "read read1 readline readlines readinto peek write writelines seek tell flush truncate fileno isatty readable"
    " writable seekable close send sendall sendto recv recv_into recvfrom accept connect connect_ex"
    " settimeout setblocking setsockopt getsockopt getsockname getpeername shutdown getnames namelist infolist"
    " getmembers getinfo extract extractall writestr add addfile printdir testzip find rfind size resize move commit"
    " rollback fetchone fetchall fetchmany executescript register unregister modify select get_map getcode getheader"
    " getheaders info geturl json text raise_for_status read_bytes load drain write_eof at_eof readexactly readuntil"
    " run_until_complete run_forever"
)

#: Attributes that are plain values.
_PLAIN_ATTRIBUTES: Final = _set("closed mode encoding errors newlines status reason code")

#: Functions that have used up their argument when they return.
_PLAIN_FUNCTIONS: Final = _set(
    "json.load pickle.load marshal.load tomllib.load tomli.load plistlib.load yaml.safe_load yaml.load yaml.full_load"
    " json.dump pickle.dump marshal.dump plistlib.dump yaml.safe_dump yaml.dump shutil.copyfileobj ast.parse"
    " list sorted tuple set frozenset dict sum len str bytes bytearray any all min max next print isinstance bool"
    " os.read os.write os.fstat os.isatty os.lseek os.ftruncate os.fsync os.fdatasync os.pread os.pwrite os.fchmod"
    " os.fchown os.get_blocking os.set_blocking os.set_inheritable os.get_inheritable os.ttyname os.sendfile"
    " os.close os.dup os.dup2 os.readv os.writev os.posix_fadvise os.posix_fallocate struct.unpack int hash"
)

#: Functions whose result reads through their argument, and which keep nothing else of it.
_TIED_FUNCTIONS: Final = _set(
    "csv.reader csv.DictReader csv.writer csv.DictWriter iter enumerate zip map filter reversed itertools.islice"
    " itertools.chain itertools.takewhile itertools.dropwhile"
)


@dataclass
class _Walk:
    """One question about one variable: the names that depend on it so far, and whether something got away."""

    place: Place
    names: set[str]
    escaped: bool = False
    fresh: set[str] = field(default_factory=set)
    made: set[cst.CSTNode] = field(default_factory=set)  #: the assignments that made the names


def last_need(place: Place, names: set[str], body: Sequence[cst.BaseStatement]) -> int | None:
    """The index of the last statement of ``body`` that needs them open (-1: none); None where one gets away."""
    walk = _Walk(place, set(names))
    pending = set(names)
    while pending and not walk.escaped:
        walk.fresh = set()
        for statement in body:
            for current in pending:
                for use in name_uses(statement, current):
                    _follow(use, walk)
        pending = walk.fresh - walk.names
        walk.names |= pending
    if walk.escaped or not stays_inside(place, walk.names, body):
        return None
    needing = [n for n, statement in enumerate(body) if any(name_uses(statement, each) for each in walk.names)]
    return max(needing, default=-1)


def used_up(place: Place, value: cst.BaseExpression) -> bool:
    """Whether nothing that outlives its statement needs ``value`` open."""
    walk = _Walk(place, set())
    _follow(value, walk)
    return not walk.escaped and not walk.fresh


def stays_inside(place: Place, names: set[str], body: Sequence[cst.BaseStatement]) -> bool:
    """Whether no other part of the function that runs later mentions one of the names, or shares them."""
    if place.function is None:
        return False
    inside = sum(len(name_uses(part, name)) for part in (place.statement, *body) for name in names)
    everywhere = sum(len(name_uses(place.function.body, name)) for name in names)
    return inside + _earlier(place, names) == everywhere and not _shared(place.function, names)


def _earlier(place: Place, names: set[str]) -> int:
    """Mentions in statements that have run for good when the acquisition runs; none where a loop comes back to them."""
    count, inner = 0, cast(cst.CSTNode, place.statement)
    for outer in place.up(place.statement):
        if isinstance(outer, cst.For | cst.While):
            return 0
        if isinstance(outer, cst.IndentedBlock):
            before = takewhile(lambda statement, inner=inner: statement is not inner, outer.body)  # type: ignore[misc]
            count += sum(len(name_uses(statement, name)) for statement in before for name in names)
        if outer is place.function:
            break
        inner = outer
    return count


class _Shares(cst.CSTVisitor):
    """Looks for a scope of its own that mentions one of the names, and for ``global`` and ``nonlocal``."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.found = False

    def _look(self, node: cst.CSTNode) -> bool:
        self.found = self.found or any(name_uses(node, name) for name in self.names)
        return False

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return self._look(node)

    def visit_ClassDef(self, node: cst.ClassDef) -> bool:
        return self._look(node)

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return self._look(node)

    def visit_Global(self, node: cst.Global) -> bool:
        return self._look(node)

    def visit_Nonlocal(self, node: cst.Nonlocal) -> bool:
        return self._look(node)


def _shared(function: cst.FunctionDef, names: set[str]) -> bool:
    visitor = _Shares(names)
    function.body.visit(visitor)
    return visitor.found


def _follow(use: cst.CSTNode, walk: _Walk) -> None:
    """Follow the value from where it is mentioned to where it ends."""
    node: cst.CSTNode | None = use
    while node is not None and not walk.escaped:
        parent = walk.place.parents.get(node)
        step = _STEPS.get(type(parent), _gets_away)
        node = step(cast(cst.CSTNode, parent), node, walk)


def _gets_away(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> None:
    walk.escaped = True


def _ends(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> None:
    """The value is used up here."""


def _goes_on(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> cst.CSTNode | None:
    """What is around has the value in it."""
    return parent


def _attribute(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> cst.CSTNode | None:
    """``f.name``, ``f.read()``: a plain value ends it."""
    attribute = cast(cst.Attribute, parent)
    around = walk.place.parents.get(parent)
    if isinstance(around, cst.Call) and around.func is attribute:
        return None if attribute.attr.value in _PLAIN_METHODS else around
    return None if attribute.attr.value in _PLAIN_ATTRIBUTES else attribute


def _argument(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> cst.CSTNode | None:
    """``json.load(f)`` ends it, ``csv.reader(f)`` goes on, an unknown function may keep it."""
    call = walk.place.parents.get(parent)
    name = get_full_name_for_node(call.func) if isinstance(call, cst.Call) else None
    if name in _PLAIN_FUNCTIONS or _is_plain_join(call):
        return None
    if name in _TIED_FUNCTIONS:
        return call
    walk.escaped = True
    return None


def _is_plain_join(call: cst.CSTNode | None) -> bool:
    """``"".join(f)``, and a method that only reads what it is given: ``out.writelines(f)``."""
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return False
    literal = isinstance(call.func.value, cst.SimpleString)
    return call.func.attr.value == "writelines" or (literal and call.func.attr.value == "join")


def _assigned(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> None:
    """``reader = csv.reader(f)``: the new name depends on it too."""
    assign = cast(cst.Assign, parent)
    if any(node is target for target in assign.targets):
        return
    walk.made.add(assign)
    for target in assign.targets:
        _name_targets(target.target, walk)


def _target(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> None:
    """Where the name was made; anywhere else it comes to mean something else: no fix."""
    walk.escaped = walk.escaped or walk.place.parents.get(parent) not in walk.made


def _annotated(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> None:
    assign = cast(cst.AnnAssign, parent)
    if node is assign.value:
        walk.made.add(assign)
        _name_targets(assign.target, walk)
    else:
        walk.escaped = walk.escaped or assign not in walk.made


def _named(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> cst.CSTNode | None:
    expression = cast(cst.NamedExpr, parent)
    if node is expression.target:
        walk.escaped = walk.escaped or expression not in walk.made
        return None
    walk.made.add(expression)
    _name_targets(expression.target, walk)
    return expression


def _name_targets(target: cst.BaseExpression, walk: _Walk) -> None:
    parts = [element.value for element in target.elements] if isinstance(target, cst.Tuple | cst.List) else [target]
    for part in parts:
        if isinstance(part, cst.Name):
            walk.fresh.add(part.value)
        else:
            walk.escaped = True


def _loop(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> None:
    """``for line in f``: what comes out of it is plain."""
    walk.escaped = walk.escaped or node is not cast(cst.For | cst.CompFor, parent).iter


def _comprehension(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> cst.CSTNode | None:
    """A list is made at once, a generator reads when it is asked; elements may hold the value itself."""
    made_at_once = isinstance(parent, cst.ListComp | cst.SetComp | cst.DictComp)
    return None if made_at_once and isinstance(node, cst.CompFor) else parent


def _comprehension_loop(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> cst.CSTNode | None:
    return parent if node is cast(cst.CompFor, parent).iter else None


def _with_item(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> None:
    """``with session.get(url) as answer``: the new name depends on it."""
    item = cast(cst.WithItem, parent)
    if item.asname is not None:
        walk.made.add(item.asname)
        _name_targets(item.asname.name, walk)


def _as_name(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> None:
    walk.escaped = walk.escaped or parent not in walk.made


def _choice(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> cst.CSTNode | None:
    return None if node is cast(cst.IfExp, parent).test else parent


def _subscript(parent: cst.CSTNode, node: cst.CSTNode, walk: _Walk) -> cst.CSTNode | None:
    """A slice of a memory map is bytes."""
    return None if walk.place.facts.kind == "memory map" else parent


_Step = Callable[[cst.CSTNode, cst.CSTNode, _Walk], cst.CSTNode | None]

#: Where a value goes from what stands around it; what is not here lets it get away.
_STEPS: Final[dict[type, _Step]] = {
    cst.Arg: _argument,
    cst.AsName: _as_name,
    cst.AnnAssign: _annotated,
    cst.Assert: _ends,
    cst.Assign: _assigned,
    cst.AssignTarget: _target,
    cst.Attribute: _attribute,
    cst.Await: _goes_on,
    cst.BooleanOperation: _goes_on,
    cst.CompFor: _comprehension_loop,
    cst.Comparison: _ends,
    cst.ComparisonTarget: _ends,
    cst.Del: _ends,
    cst.DictComp: _comprehension,
    cst.Element: _goes_on,
    cst.Expr: _ends,
    cst.For: _loop,
    cst.FormattedStringExpression: _ends,
    cst.GeneratorExp: _comprehension,
    cst.If: _ends,
    cst.IfExp: _choice,
    cst.List: _goes_on,
    cst.ListComp: _comprehension,
    cst.NamedExpr: _named,
    cst.SetComp: _comprehension,
    cst.StarredElement: _goes_on,
    cst.Subscript: _subscript,
    cst.Tuple: _goes_on,
    cst.UnaryOperation: _ends,
    cst.While: _ends,
    cst.WithItem: _with_item,
}
