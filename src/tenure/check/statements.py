"""What each statement, and each other node of the graph, does to a path that comes by."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from tenure.check.effects import MEANT_TO_FAIL, PERHAPS, UNLIKELY, Stop
from tenure.check.expressions import Expressions, item_of
from tenure.check.flow import Kind, Node
from tenure.check.handlers import catches, named
from tenure.check.modules import Class, dotted_text
from tenure.check.risk import RAISED
from tenure.check.state import RETURNED as HANDED_BACK
from tenure.check.state import Error, Path, Value, resources_in

__all__ = ["TRANSFERS", "Statements"]

#: Under this name, which nobody can write, a path remembers the exception its handler was entered for.
_CAUGHT: Final = "except "
_BROAD: Final = frozenset({"OSError", "IOError", "EnvironmentError", "error"})
_SWALLOWERS: Final = frozenset({"contextlib.suppress", "pytest.raises", "pytest.warns"})
#: A body under one of these ends in an exception, if all is well.
_RAISERS: Final = frozenset({"raises", "assertRaises", "assertRaisesRegex"})


class Statements(Expressions):
    """One method for each kind of node; it answers which nodes may follow, and with what word."""

    steps: list[tuple[int, Path, int, str, int]]
    met: dict[int, int]  #: handler -> the line of the first exception that may be for it

    def do(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        statement = node.item
        self.statement = statement if isinstance(statement, ast.stmt) else None
        if isinstance(statement, ast.Raise):
            return self.do_raise(statement, node, path)
        handler = _STATEMENTS.get(type(statement)) if statement is not None else None
        if handler is not None:
            handler(self, statement, path)
        return ((node.next, ""),)

    def do_raise(self, statement: ast.Raise, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        kind = path.error.type if path.error is not None else ""
        if statement.exc is not None:
            named = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
            text = dotted_text(named)
            kind = self.module.resolve(text) if text and text not in self.locals else kind
            self.ev(statement.exc, path)
            path.error = Error(kind, 1 if UNLIKELY in path.env else 3)
            if kind == "builtins.SystemExit":
                raise Stop
            if kind == "builtins.AssertionError":  # an assumption of the author's, not an event
                path.error = Error(kind, 1)
        elif path.error is None:
            caught = path.env.get(_CAUGHT)  # another exception was raised and swallowed on the way
            path.error = caught[1] if caught is not None and caught[1] is not None else Error(kind, 3)
        self.sweep(path, statement.lineno, path.error)
        return ((node.next, "raises"),)

    def assign(self, statement: ast.Assign, path: Path) -> None:
        value = self.ev(statement.value, path)
        for target in statement.targets:
            self.bind(target, value, path)

    def annotated(self, statement: ast.AnnAssign, path: Path) -> None:
        if statement.value is not None:
            self.bind(statement.target, self.ev(statement.value, path), path)

    def augmented(self, statement: ast.AugAssign, path: Path) -> None:
        value = self.ev(statement.value, path)
        if isinstance(statement.target, ast.Name):
            old = path.env.get(statement.target.id)
            held = frozenset([*resources_in(old), *resources_in(value)])
            path.put(statement.target.id, ("c", held) if held else None)
        else:
            self.keep(path, value)

    def expression(self, statement: ast.Expr, path: Path) -> None:
        self.ev(statement.value, path)

    def delete(self, statement: ast.Delete, path: Path) -> None:
        for target in statement.targets:
            if isinstance(target, ast.Name):
                path.put(target.id, None)

    def define(self, statement: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, path: Path) -> None:
        value = self.capture(statement, path)
        path.put(statement.name, value if value is not None and value[1] else None)
        if isinstance(statement, ast.ClassDef):
            self.keep(path, value)

    def test(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        assert isinstance(node.item, ast.expr)
        choices_before = self.choices.at
        answer = self.truth(node.item, path)
        asked = self.choices.at > choices_before
        text = ("is true" if answer else "is false") if asked else ""
        return ((node.next if answer else node.other, text),)

    def loop(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        """The next item, or the end; a literal tuple that is not empty has at least one."""
        assert isinstance(node.item, ast.For | ast.AsyncFor)
        hidden = f"{node.item.lineno}:{node.item.col_offset} for"
        iterated = path.env.get(hidden)
        if iterated is not None and iterated[0] in ("r", "d"):
            for index in resources_in(iterated):
                self.use(path, index, node.item.iter, "iteration")
        if isinstance(node.item, ast.AsyncFor):
            self.may_raise(path, 2, "", node.item, "waiting for the next item")
        elif iterated is not None and iterated[0] in ("p", "r"):
            self.may_raise(path, 1, "", node.item, "reading")
        first = f"{hidden} began"
        if iterated is not None and iterated[0] in ("t", "c") and list(resources_in(iterated)):
            ends = first in path.env
        else:
            ends = self.choices.choose(2) == 1
        if ends:
            self.exhausted(iterated, path, node.item)
            path.put(hidden, None)
            path.put(first, None)
            return ((node.other, ""),)
        if iterated is not None and iterated[0] in ("t", "c"):
            path.env[first] = ("k", True)
            self.bind(node.item.target, ("c", frozenset(resources_in(iterated))), path)
        elif iterated is not None and iterated[0] == "r" and self.sites[iterated[1]].borrowed:
            self.bind(node.item.target, ("c", frozenset({iterated[1]})), path)  # a list of them, perhaps
        else:
            self.bind(node.item.target, item_of(iterated), path)
        return ((node.next, ""),)

    def exhausted(self, iterated: Value, path: Path, node: ast.AST) -> None:
        """A directory scan that has been read to its end has closed itself."""
        if iterated is not None and iterated[0] == "r" and self.sites[iterated[1]].kind_name == "scan":
            self.release(path, iterated[1], node, "end")

    def enter(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        assert isinstance(node.item, ast.withitem)
        self.statement = node.item
        value = self.ev(node.item.context_expr, path)
        bound = value
        if value is not None and value[0] == "w":
            bound = ("r", value[1])
        elif value is None or value[0] not in ("r", "p"):
            bound = None
        path.put(_hidden(node.item), value)
        if _last_name(node.item) in _RAISERS:
            path.put(_hidden(node.item) + MEANT_TO_FAIL, ("fails",))
        if value is not None and value[0] == "r":
            site = self.sites[value[1]]
            site.entered = site.entered or not site.kind.managed
            self.use(path, value[1], node.item.context_expr, "with")
        target = node.item.optional_vars
        if isinstance(target, ast.Attribute):  # the with statement owns it, whatever the name
            path.put(dotted_text(target), bound)
        elif target is not None:
            self.bind(target, bound, path)
        return ((node.next, ""),)

    def leave(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        assert isinstance(node.item, ast.withitem)
        hidden = _hidden(node.item)
        value = path.env.get(hidden)
        path.put(hidden, None)
        path.put(hidden + MEANT_TO_FAIL, None)
        if value is not None and value[0] == "p":  # ``with process.stdout as lines``
            self.release_pipe(path, value[1], value[2])
        for index in self.closed_by_leaving(value):
            self.release(path, index, node.item, "with")
        if path.error is not None and node.other >= 0 and self.swallows(node.item):
            path.error = None
            return ((node.other, ""),)
        return ((node.next, ""),)

    def closed_by_leaving(self, value: Value) -> Iterable[int]:
        """``with f``, ``with closing(f)``, ``with job.out``, and the same of whatever a loop takes from a list."""
        if value is None:
            return ()
        if value[0] == "w" or self.is_inside(value):
            return resources_in(value)
        if value[0] in ("c", "cm"):
            return [i for i in value[1] if self.sites[i].kind.managed and not self.sites[i].borrowed]
        return [i for i in value[1:] if self.sites[i].kind.managed or self.sites[i].borrowed] if value[0] == "r" else ()

    def swallows(self, item: ast.withitem) -> bool:
        if not isinstance(item.context_expr, ast.Call):
            return False
        text = dotted_text(item.context_expr.func)
        return self.module.resolve(text) in _SWALLOWERS or _last_name(item) in _RAISERS

    def catch(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        """An exception meets its handlers in order; one whose class may or may not fit goes both ways."""
        found: list[tuple[int, str]] = []
        broad: object = False
        for kind, entry in node.arms:
            fits = catches(self.module, kind, path.error)
            if fits is not False:
                written_for = path.error is None or path.error.level > 1
                found.append((entry, "" if fits or (written_for and self.first_to_meet(kind)) else PERHAPS))
            if fits:
                self.met.setdefault(id(kind), 0)
                return found
            broad = broad or (fits is None and named(kind) & _BROAD)
        return [*found, (node.next, PERHAPS if broad else "")]

    def first_to_meet(self, kind: ast.expr | None) -> bool:
        """Whether this is the first call that a handler may be for: for something it was written."""
        line = self.steps[self.item][4]
        return self.met.setdefault(id(kind), line) == line

    def doubt(self, path: Path, passed: bool) -> None:
        """An exception of an unknown class that meets a handler for one class: that it fits is a guess, and so it is
        that it does not where the handler is for nearly all that goes wrong outside."""
        if path.error is None or (path.error.type not in ("", RAISED) and path.error.level > 1):
            return
        if passed:
            path.error = path.error._replace(level=min(path.error.level, 1))
        else:
            path.env[PERHAPS] = ("k", True)

    def caught(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        assert isinstance(node.item, ast.ExceptHandler)
        if node.item.name:
            path.put(node.item.name, ("o", "builtins.Exception"))
        path.put(_CAUGHT, ("error", path.error))
        if path.error is not None and path.error.far:
            path.put(UNLIKELY, ("k", True))
        return ((node.next, "is caught"),)

    def calm(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        path.error = None
        path.put(_CAUGHT, None)
        return ((node.next, ""),)

    def pending(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        """A ``finally`` is entered by an exception, which goes on when it is through."""
        path.put(_pending(node), ("error", path.error))
        return ((node.next, ""),)

    def resume(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        before = path.env.get(_pending(node))
        path.put(_pending(node), None)
        if path.error is None and before is not None:
            path.error = before[1]
        return ((node.next, ""),)

    def case(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        assert isinstance(node.item, ast.pattern)
        certain = isinstance(node.item, ast.MatchAs) and node.item.pattern is None
        if certain or self.choices.choose(2) == 0:
            for name in _captures(node.item):
                path.put(name, None)
            return ((node.next, ""),)
        return ((node.other, ""),)

    def return_(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        assert isinstance(node.item, ast.Return)
        self.statement = node.item
        value = self.ev(node.item.value, path) if node.item.value is not None else ("k", None)
        if any(path.held[i].released for i in resources_in(value) if i in path.held):
            value = None
        path.result = value
        if value is not None and value[0] == "h":
            value = self.within_reach(value, path)
        if value is not None and value[0] != "d":
            self.keep(path, value, HANDED_BACK)
        return ((node.next, "returns"),)

    def within_reach(self, value: tuple[Any, ...], path: Path) -> Value:
        """What an object holds and whoever gets the object may close: it is a record, or somebody does."""
        found = self.project.find(self.module.root, value[2])
        if isinstance(found, Class) and not found.record:
            closes = self.summaries.overview.somebody_closes
            owed = set(self.owed(path))
            held = ((a, i) for a, i in value[3] if i in owed)
            return ("c", frozenset(i for a, i in held if closes(f"{found.name}.{a}", found.module.root)))
        return value


def _hidden(item: ast.withitem) -> str:
    return f"{item.context_expr.lineno}:{item.context_expr.col_offset} with"


def _pending(node: Node) -> str:
    return f"{node.line} finally"


def _last_name(item: ast.withitem) -> str:
    """``raises`` for ``with pytest.raises(...)``."""
    return dotted_text(item.context_expr.func).rpartition(".")[2] if isinstance(item.context_expr, ast.Call) else ""


def _captures(pattern: ast.pattern) -> list[str]:
    return [n.name for n in ast.walk(pattern) if isinstance(n, ast.MatchAs | ast.MatchStar) and n.name]


_STATEMENTS: Final[dict[type[ast.AST], Callable[..., None]]] = {
    ast.Assign: Statements.assign,
    ast.AnnAssign: Statements.annotated,
    ast.AugAssign: Statements.augmented,
    ast.Expr: Statements.expression,
    ast.Delete: Statements.delete,
    ast.FunctionDef: Statements.define,
    ast.AsyncFunctionDef: Statements.define,
    ast.ClassDef: Statements.define,
}

TRANSFERS: Final[dict[Kind, Callable[[Any, Node, Path], Sequence[tuple[int, str]]]]] = {
    Kind.DO: Statements.do,
    Kind.TEST: Statements.test,
    Kind.FOR: Statements.loop,
    Kind.ENTER: Statements.enter,
    Kind.LEAVE: Statements.leave,
    Kind.CATCH: Statements.catch,
    Kind.CAUGHT: Statements.caught,
    Kind.CALM: Statements.calm,
    Kind.PENDING: Statements.pending,
    Kind.RESUME: Statements.resume,
    Kind.CASE: Statements.case,
    Kind.RETURN: Statements.return_,
}
