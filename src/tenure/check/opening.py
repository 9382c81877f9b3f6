"""What a call known by name opens: the openers' table, put to work on a path."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Final, NamedTuple

from tenure.check.effects import TAKEN, Effects
from tenure.check.openers import Opener
from tenure.check.reading import resolved
from tenure.check.state import NONE, SELF, STORED, Path, Value, resources_in

__all__ = ["Argument", "Opening"]

_PIPE: Final = (("fn", "subprocess.PIPE"), ("fn", "asyncio.subprocess.PIPE"))
_DEVNULL: Final = ("fn", "os.devnull")
_MODES: Final = frozenset("wax")
#: What is raised for a file that is no archive.
_REFUSED: Final = {"zipfile": "zipfile.BadZipFile", "tarfile": "tarfile.TarError"}
_INTO_MEMORY: Final = frozenset({"io.BytesIO", "io.StringIO"})


class Argument(NamedTuple):
    """One argument as it was evaluated."""

    key: int | str  #: position, or keyword ("*" and "**" for unpacked ones)
    value: Value
    node: ast.expr


class Opening(Effects):
    """Acquisitions by the table."""

    locals: frozenset[str]
    awaited: set[int]  #: the calls that are waited for where they stand
    entered: set[str]  #: names that a ``with`` statement binds: what they stand for is open already

    def acquire(self, opener: Opener, dotted: str, node: ast.Call, arguments: Sequence[Argument], path: Path) -> Value:
        by_key = {argument.key: argument for argument in arguments}
        if _switched_off(opener, by_key) or (opener.awaited and id(node) not in self.awaited):
            return None  # a coroutine has opened nothing yet
        over = next((by_key[key] for key in opener.over if key in by_key), None)
        if over is None and opener.over and self.reads_over(arguments, path):
            over = arguments[0]
        if over is not None:
            held = frozenset(resources_in(over.value))
            refused = _REFUSED.get(dotted.partition(".")[0], "")
            mode = by_key.get("mode", by_key.get(1))
            if refused and (
                mode is None or (mode.value is not None and mode.value[0] == "k" and not _writes(mode.value))
            ):
                self.may_raise(path, 2, refused, node, dotted)
            return ("d", held) if held and not self.tables.kinds[opener.kind].any_after else None
        owned = set(self.owed(path))
        taken = [by_key[key].value for key in opener.takes if key in by_key]
        wrapped = frozenset(i for value in taken for i in resources_in(value)) if opener.wraps else frozenset()
        if opener.wraps and (not wrapped & owned or wrapped & self.left_later(path)):
            return ("d", wrapped) if wrapped else None
        if self.in_memory(arguments) or (opener.kind == "mapping" and _is_anonymous(node)):
            return None
        again = _any_of(taken, owned)
        sure = not opener.risky or again or (arguments and arguments[0].value == _DEVNULL)
        self.may_raise(path, 1 if sure else 2, "builtins.OSError", node, dotted, far=again or None)
        for value in taken:
            self.keep(path, value, TAKEN)
        if opener.parts:
            return ("t", tuple(self.opened(kind, n, dotted, node, path) for n, kind in enumerate(opener.parts)))
        pipes = _pipes(arguments) if opener.kind == "process" else frozenset()
        made = self.opened(opener.kind, 0, dotted, node, path, pipes)
        for index in resources_in(made):
            numbers = (i for value in taken for i in resources_in(value) if self.sites[i].kind.plain)
            self.takers.update((i, index) for i in numbers)
            self.sites[index].adopted = wrapped & {value[1] for value in taken if value is not None and value[0] == "r"}
        return made

    def opener_among(self, node: ast.expr, others: Sequence[Argument]) -> Value:
        """``OPENERS[suffix]``, ``OPENERS.get(suffix, open)``: a table of the module's, of openers of one kind."""
        table = self.module.values.get(node.id) if isinstance(node, ast.Name) and node.id not in self.locals else None
        if not isinstance(table, ast.Dict) or any(other.value is None for other in others):
            return None
        names = [resolved(self.module, value) for value in table.values]
        names += [str(other.value[1]) for other in others if other.value is not None and other.value != NONE]
        kinds = {opener.kind if opener is not None else "" for opener in map(self.tables.openers.get, names)}
        return ("fn", names[0]) if len(kinds) == 1 and kinds != {""} else None

    def accepts(self, name: str, node: ast.Call) -> str:
        """``conn, peer = x.accept()`` gives a socket whatever ``x`` is; ``await loop.sock_accept(x)`` does as well."""
        statement = self.statement
        if name not in ("accept", "sock_accept") or not isinstance(statement, ast.Assign):
            return ""
        value = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
        target = statement.targets[0]
        pair = isinstance(target, ast.Tuple) and len(target.elts) == 2
        if value is not node or not pair or len(node.args) != (name == "sock_accept"):
            return ""
        return "socket.socket.accept" if name == "accept" else "asyncio.AbstractEventLoop.sock_accept"

    def left_later(self, path: Path) -> frozenset[int]:
        """What a ``with`` statement around this place closes."""
        entered = (value for name, value in path.env.items() if name.endswith(" with"))
        return frozenset(index for value in entered for index in resources_in(value))

    def reads_over(self, arguments: Sequence[Argument], path: Path) -> bool:
        """``ZipFile(f)`` holds nothing open that ``f`` does not; what it writes, it writes when it is closed."""
        first = arguments[0].value if arguments else None
        over = first == SELF or (first is not None and first[0] == "r" and self.is_ours_to_close(path, first[1]))
        node = arguments[0].node if arguments else None
        over = over or (isinstance(node, ast.Name) and node.id in self.entered)
        return over and not any(_writes(a.value) for a in arguments[1:])

    def is_ours_to_close(self, path: Path, index: int) -> bool:
        """This function owes it, or the object does."""
        hold = path.held.get(index)
        return hold is not None and (self.is_owed(index, hold) or (hold.open and hold.note == STORED))

    def opened(
        self, kind: str, part: int, dotted: str, node: ast.Call, path: Path, pipes: frozenset[str] = frozenset()
    ) -> Value:
        if not kind or self.tables.kinds[kind].untold:
            return None
        site = self.site(node, part, kind, dotted)
        site.pipes |= pipes
        return self.open(path, site, pipes)

    def in_memory(self, arguments: Sequence[Argument]) -> bool:
        """``ZipFile(BytesIO(data))`` owns nothing that the collector does not free as well."""
        return any(a.value is not None and a.value[0] == "o" and a.value[1] in _INTO_MEMORY for a in arguments)


def _writes(value: Value) -> bool:
    """A mode for writing: ``"w"``, ``"wt"``, ``"ab"``."""
    return value is not None and value[0] == "k" and isinstance(value[1], str) and value[1][:1] in _MODES


def _is_anonymous(node: ast.Call) -> bool:
    """``mmap(-1, ...)`` is plain memory: it holds no file open."""
    return bool(node.args) and ast.unparse(node.args[0]) == "-1"


def _any_of(values: Sequence[Value], indices: set[int]) -> bool:
    """Whether any of the values is one of these resources."""
    return any(index in indices for value in values for index in resources_in(value))


def _switched_off(opener: Opener, given: dict[int | str, Argument]) -> bool:
    """Keywords decide whether there is something to close: ``stream=True``, ``closefd=False``."""
    if opener.only_if:
        wanted = given.get(opener.only_if)
        return wanted is None or wanted.value in (("k", False), NONE)
    unless = given.get(opener.unless)
    return unless is not None and unless.value == ("k", False)


def _pipes(arguments: Sequence[Argument]) -> frozenset[str]:
    """The standard streams a process is given as pipes."""
    return frozenset(
        str(argument.key)
        for argument in arguments
        if argument.key in ("stdin", "stdout", "stderr") and argument.value in _PIPE
    )
