"""What calling a method does to the resource it belongs to, and to what it is given."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, Final

from tenure.check.effects import DORMANT, TAKEN
from tenure.check.enacting import shown
from tenure.check.holdings import Holdings
from tenure.check.openers import CLOSER_NAMES, MERE_BORROWERS, STACKS, TYPED_METHODS
from tenure.check.opening import Argument
from tenure.check.reading import returns_itself
from tenure.check.risk import risk_of_method, risk_of_unknown
from tenure.check.state import KEPT, Path, Site, Value, resources_in
from tenure.check.words import words

__all__ = ["Methods"]

_FILLS: Final = words("append add insert extend setdefault update put push appendleft")
_TAKES_OUT: Final = words("pop popleft popitem get copy values items keys")
_WHOLE: Final = frozenset({"communicate", "__exit__", "__aexit__"})


class Methods(Holdings):
    """Methods of files, processes, pipes, containers and exit stacks; of whatever has been opened."""

    strangers: set[str]  #: parameters whose annotation names a class of somebody else's

    def call_resource(
        self, callee: tuple[Any, ...], node: ast.Call, arguments: Sequence[Argument], path: Path
    ) -> Value:
        _, index, name = callee
        site = self.sites[index]
        if site.borrowed:
            self.called.setdefault(site.parameter, set()).add(name)
            factory = self.summaries.overview.only_factory(name, self.module)
            if factory is not None and site.parameter not in self.strangers:
                return self.call_function(("fm", factory, ("any",)), node, arguments, path)
        if not isinstance(node.func, ast.Attribute):
            self.use(path, index, node, name)  # ``read = f.read``, called later
        if site.kind.dormant and name in STACKS:
            if name == "open":
                self.may_raise(path, 2, "", node, shown(node))
            return self.enter_stack(index, name, arguments, path)
        level, kind = self.risk_of(site, name, node)
        if name in ("__enter__", "__aenter__"):
            return ("r", index)
        if name == "pop_all":
            return self.pop_all(index, node, path)
        if site.kind_name == "process":
            return self.call_process(index, name, node, level, kind, path)
        if name in site.kind.closers or name in ("__exit__", "__aexit__") or (site.borrowed and name in CLOSER_NAMES):
            return self.close_by_method(index, name, node, path)
        if name in ("closed", "is_closed"):
            return callee
        self.hand_over(name, arguments, path)
        if name not in site.kind.calm:
            self.touch(path, index)
        self.may_raise(path, level, kind, node, shown(node))
        opened = TYPED_METHODS.get(site.kind_name, "?") + "." + name
        if site.borrowed and opened not in self.tables.openers:
            opened = self.accepts(name, node)
        if opened in self.tables.openers:
            made = self.acquire(self.tables.openers[opened], opened, node, arguments, path)
            for child in resources_in(made):
                self.sites[child].parent = index
            return made
        if site.borrowed and name in _TAKES_OUT:
            return ("c", frozenset({index}))  # a list or a dict of them, perhaps
        method = self.project.method(site.cls, name) if site.cls is not None else None
        if method is not None and returns_itself(method):
            return ("r", index)
        return ("d", frozenset({index})) if name in site.kind.views else None

    def risk_of(self, site: Site, name: str, node: ast.Call) -> tuple[int, str]:
        """Level and class of exception for a method of what was opened here, or came in as a parameter."""
        if site.borrowed and site.kind_name == "closable":
            return risk_of_unknown(name)
        level, kind = risk_of_method(site.kind, name, node)
        method = self.project.method(site.cls, name) if site.cls is not None and level else None
        return self.summaries.risk(method) if method is not None else (level, kind)

    def close_by_method(self, index: int, name: str, node: ast.Call, path: Path) -> Value:
        if name in ("detach", "Detach"):
            self.keep(path, ("r", index))
            alone = isinstance(self.statement, ast.Expr) and self.statement.value is node
            if self.sites[index].kind_name == "socket" and not alone:  # what is left of it is the bare descriptor
                return self.open(path, self.site(node, 0, "descriptor", shown(node)))
        else:
            self.release(path, index, node, name)
        return None

    def call_process(self, index: int, name: str, node: ast.Call, level: int, kind: str, path: Path) -> Value:
        if name in ("communicate", "wait") and (node.args or any(k.arg == "timeout" for k in node.keywords)):
            with_input = name == "communicate" and not any(k.arg == "timeout" for k in node.keywords)
            if not (with_input and len(node.args) < 2):
                self.may_raise(path, 2, "subprocess.TimeoutExpired", node, shown(node))
        if name in _WHOLE:
            self.release(path, index, node, name)
        elif name in ("wait", "poll", "kill", "terminate", "send_signal"):
            self.end_process(path, index, node, name)
        return ("t", (None, None)) if name == "communicate" else None

    def call_pipe(self, callee: tuple[Any, ...], node: ast.Call, arguments: Sequence[Argument], path: Path) -> Value:
        _, index, pipe, name = callee
        if name in ("close", "detach", "__exit__"):
            self.release_pipe(path, index, pipe)
        else:
            self.may_raise(path, 1, "builtins.OSError", node, shown(node))
        return None

    def call_container(
        self, callee: tuple[Any, ...], node: ast.Call, arguments: Sequence[Argument], path: Path
    ) -> Value:
        _, held, name = callee
        given = frozenset(i for argument in arguments for i in resources_in(argument.value))
        if name in _FILLS and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            held = frozenset(resources_in(path.env.get(node.func.value.id)))  # as it is after the arguments
            path.put(node.func.value.id, ("c", held | given))
            return None
        if name in CLOSER_NAMES:
            for index in held:
                if self.has_method(self.sites[index], name):
                    self.release(path, index, node, name)
                else:  # of an object that holds it, which may close it or not
                    self.keep(path, ("r", index))
            return None
        for argument in arguments:
            self.keep(path, argument.value)
        return ("c", held) if held and name in _TAKES_OUT else None

    def has_method(self, site: Site, name: str) -> bool:
        """Whether what was opened can be closed by a method of this name."""
        known = name in site.kind.closers
        return known and (site.cls is None or self.project.method(site.cls, name) is not None)

    def enter_stack(self, index: int, name: str, arguments: Sequence[Argument], path: Path) -> Value:
        held = [i for argument in arguments for i in resources_in(argument.value) if not self.sites[i].borrowed]
        if held or not name.endswith("callback"):
            self.wake(path, index)  # a callback that closes nothing is a reminder, not a resource
        for argument in arguments:
            self.keep(path, argument.value, TAKEN)
        first = arguments[0].value if arguments else None
        return ("r", first[1]) if first is not None and first[0] in ("r", "w") else None

    def pop_all(self, index: int, node: ast.Call, path: Path) -> Value:
        hold = path.held.get(index)
        empty = hold is not None and hold.note == DORMANT
        self.release(path, index, node, "pop_all")
        if isinstance(self.statement, ast.Expr) and self.statement.value is node:
            return None  # all went well: what it was to close on failure goes on living
        moved = self.open(path, self.site(node, 0, self.sites[index].kind_name, shown(node)))
        if not empty:
            self.wake(path, moved[1] if moved else index)
        return moved

    def call_function(
        self, callee: tuple[Any, ...], node: ast.Call, arguments: Sequence[Argument], path: Path
    ) -> Value:
        raise NotImplementedError

    # -- arguments ---------------------------------------------------------------------------------------------------

    def keep_all(self, arguments: Sequence[Argument], path: Path, note: str = KEPT) -> None:
        for argument in arguments:
            self.keep(path, argument.value, note)

    def is_live(self, index: int) -> bool:
        """A connection or a process: whoever is shown it may as well end it."""
        return self.sites[index].kind.risky or self.sites[index].kind_name == "process"

    def hand_over(self, name: str, arguments: Sequence[Argument], path: Path) -> None:
        """An unknown method may keep what it gets unless its name says that it only reads or writes; a function that
        came in as a parameter is not expected to close what it is shown, except a live connection."""
        if name in MERE_BORROWERS:
            return
        for argument in arguments:
            value = argument.value
            if not name and value is not None and value[0] == "r" and not self.is_live(value[1]):
                continue
            self.keep(path, value)
