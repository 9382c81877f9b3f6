"""Every path through one function, followed with what each resource has come to on it."""

from __future__ import annotations

import ast
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from tenure.check.effects import Stop, Tables
from tenure.check.expressions import Expressions
from tenure.check.flow import ESCAPED, RETURNED, Flow, Kind, Node, flow_of
from tenure.check.handlers import catches, named
from tenure.check.openers import KINDS
from tenure.check.project import Function, Project, dotted_text
from tenure.check.questions import Questions, own_nodes
from tenure.check.risk import RAISED
from tenure.check.state import RETURNED as HANDED_BACK
from tenure.check.state import SELF, Error, Hold, Path, Site, Value, resources_in
from tenure.lifecycle import State

if TYPE_CHECKING:
    from tenure.check.summaries import Summaries

__all__ = ["Walk"]

#: More states than this at one place: what is known of conditions is given up there.
CROWDED: Final = 16
#: More steps than this in one function: the rest is left unvisited, and the function counts as unfinished.
MOST_STEPS: Final = 2_500

#: Under this name, which nobody can write, a path remembers the exception its handler was entered for.
_CAUGHT: Final = "except "
#: Under this one, that an exception of an unknown class was taken for one that a handler is for.
_PERHAPS: Final = "perhaps "
_BROAD: Final = frozenset({"OSError", "IOError", "EnvironmentError", "error"})
_SWALLOWERS: Final = frozenset({"contextlib.suppress", "pytest.raises", "pytest.warns"})
_CONTEXT_MANAGERS: Final = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
#: Generators that are always resumed, and never with an exception.
_FIXTURES: Final = frozenset(
    ["pytest.fixture", "pytest.yield_fixture", "pytest_asyncio.fixture", "pytest.hookimpl", "_pytest.fixtures.fixture"]
)
_TRACKED_TYPES: Final = frozenset(
    {"socket.socket", "pathlib.Path", "zipfile.ZipFile", "ssl.SSLContext", "aiohttp.ClientSession"}
)


class Walk(Expressions):
    """One function, walked once; afterwards ``losses``, ``misuses``, ``fates`` and ``exits`` tell what was seen."""

    def __init__(self, function: Function, project: Project, tables: Tables, summaries: Summaries) -> None:
        super().__init__(function, project, tables)
        self.summaries = summaries
        self.globals: set[str] = set()
        decorators = set(function.decorators())
        self.is_context_manager = not _CONTEXT_MANAGERS.isdisjoint(decorators)
        self.is_fixture = not _FIXTURES.isdisjoint(decorators)
        self.property_calls = {}
        self.awaited = set()
        self.entered = set()
        self.met: dict[int, int] = {}  #: handler -> the line of the first exception that may be for it
        self.unfinished = False
        self.exits: list[tuple[Path, int]] = []  #: how the function may end
        self.steps: list[tuple[int, Path, int, str, int]] = []  #: node, path, step before, what led here, its line
        self.self_name = ""
        self.questions = Questions(function)
        self.locals = self.names_bound()
        self.flow: Flow = flow_of(function.node.body)

    # -- before the walk -------------------------------------------------------------------------------------------

    def names_bound(self) -> frozenset[str]:
        """The function's local names; what is asked more than once is counted on the way."""
        bound = set(self.function.parameters)
        for node in own_nodes(self.function.node):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                bound.add(node.id)
            elif isinstance(node, ast.Global | ast.Nonlocal):
                self.globals.update(node.names)
            elif isinstance(node, ast.ExceptHandler) and node.name:
                bound.add(node.name)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                bound.discard(node.name)
            elif isinstance(node, ast.withitem) and isinstance(node.optional_vars, ast.Name):
                self.entered.add(node.optional_vars.id)
            elif isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
                self.questions.count(node.test)
        if isinstance(self.function.node, ast.Module):
            return frozenset()
        return frozenset(bound - self.globals)

    def start(self) -> Path:
        """Every parameter is a resource of the caller's until the walk shows what becomes of it."""
        path = Path({}, {}, {})
        names = self.function.parameters
        method = self.function.owner is not None and "builtins.staticmethod" not in self.function.decorators()
        if method and names:
            self.self_name = names.pop(0)
            if "builtins.classmethod" not in self.function.decorators():
                path.env[self.self_name] = SELF
            elif self.function.owner is not None:
                path.env[self.self_name] = ("fn", self.function.owner.dotted)
        if self.function.outer is not None and self.function.outer.owner is not None:
            self.self_name = self.self_name or "self"
        annotations = _annotations(self.function.node)
        for name in names:
            path.env[name] = self.parameter(name, annotations.get(name), path)
        if not isinstance(self.function.node, ast.Module) and self.function.node.args.vararg is not None:
            star = self.function.node.args.vararg.arg
            value = self.parameter(star, None, path)
            path.env[star] = ("c", frozenset(resources_in(value)))
        return path

    def parameter(self, name: str, annotation: ast.expr | None, path: Path) -> Value:
        dotted = self.module.resolve(dotted_text(annotation)) if annotation is not None else ""
        kind = "socket" if dotted == "socket.socket" else "closable"
        if dotted in _TRACKED_TYPES and dotted != "socket.socket":
            return ("o", dotted)
        if dotted and not dotted.startswith(("builtins.", "typing.", "socket.", "io.")):
            path_type = ("o", dotted)
            if self.project.find(self.module.root, dotted) is not None:
                return path_type
        site = Site(len(self.sites), self.function.node, KINDS[kind], kind, 0, parameter=name)
        self.sites.append(site)
        self.fates[site.index] = set()
        path.held[site.index] = Hold()
        return ("r", site.index)

    # -- the walk --------------------------------------------------------------------------------------------------

    def run(self) -> Walk:
        start = self.start()
        seen: dict[tuple[int, object], int] = {}
        crowd: Counter[int] = Counter()
        queue: deque[int] = deque()

        def visit(node: int, path: Path, before: int, word: str, line: int) -> None:
            if crowd[node] > CROWDED:
                path = self.coarser(path)
            key = (node, path.key())
            if key in seen:
                return
            crowd[node] += 1
            seen[key] = len(self.steps)
            self.steps.append((node, path, before, word, line))
            queue.append(seen[key])

        visit(self.flow.entry, start, -1, "", 0)
        while queue:
            if len(self.steps) > MOST_STEPS:
                self.unfinished = True
                break
            self.item = queue.popleft()
            at, path, _, _, _ = self.steps[self.item]
            if at in (RETURNED, ESCAPED):
                self.leave_function(at, path.copy())
                continue
            for following, after, word, line in self.step(self.flow.nodes[at], path):
                visit(following, after, self.item, word, line)
        return self

    def coarser(self, path: Path) -> Path:
        """The same state without what belongs to the caller, and of conditions only those that closing depends on."""
        borrowed = {site.index for site in self.sites if site.borrowed}
        names = {word for guard in self.questions.guards for word in guard.split()}  # ``own``, ``self.own``
        env: dict[str, Value] = {}
        for name, value in path.env.items():
            if value is None or (value[0] == "r" and value[1] in borrowed):
                continue
            if value[0] != "k" or name in names or name == _PERHAPS:
                env[name] = value
        facts = {fact: answer for fact, answer in path.facts.items() if fact in self.questions.guards}
        return Path(env, path.held, facts, path.error, path.result)

    def step(self, node: Node, path: Path) -> list[tuple[int, Path, str, int]]:
        """Everything that may follow a node from one state."""
        found: list[tuple[int, Path, str, int]] = []
        self.choices.script.clear()
        self.choices.at = self.choices.runs = 0
        self.node = node
        transfer = _TRANSFERS[node.kind]
        while True:
            copy = path.copy()
            self.raised = []
            try:
                for following, word in transfer(self, node, copy):
                    after = copy if node.kind is not Kind.CATCH else copy.copy()
                    if word == _PERHAPS:
                        self.doubt(after, following == node.next)
                        word = ""
                    if following != ESCAPED and after.error is None:
                        self.sweep(after, node.line)
                    found.append((following, after, word, node.line))
            except Stop:
                pass
            for thrown, word, line in self.raised:
                if node.raises != ESCAPED or self.owed_anywhere(thrown):
                    self.sweep(thrown, line, thrown.error)
                    found.append((node.raises, thrown, f"{word} may raise", line))
            if not self.choices.advance():
                return found

    def owed_anywhere(self, path: Path) -> bool:
        return any(hold.open or self.sites[i].borrowed for i, hold in path.held.items())

    # -- one kind of node each -------------------------------------------------------------------------------------

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
            path.error = Error(kind, 3)
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
            self.bind(node.item.target, None, path)
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
        elif value is None or value[0] != "r":
            bound = None
        path.put(_hidden(node.item), value)
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
        if value is not None and value[0] in ("r", "w"):
            site = self.sites[value[1]]
            if value[0] == "w" or site.kind.managed or site.borrowed:
                self.release(path, value[1], node.item, "with")
        if path.error is not None and node.other >= 0 and self.swallows(node.item):
            path.error = None
            return ((node.other, ""),)
        return ((node.next, ""),)

    def swallows(self, item: ast.withitem) -> bool:
        if not isinstance(item.context_expr, ast.Call):
            return False
        text = dotted_text(item.context_expr.func)
        return self.module.resolve(text) in _SWALLOWERS or text.endswith(("assertRaises", "assertRaisesRegex"))

    def catch(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        """An exception meets its handlers in order; one whose class may or may not fit goes both ways."""
        found: list[tuple[int, str]] = []
        broad: object = False
        for kind, entry in node.arms:
            fits = catches(self.module, kind, path.error)
            if fits is not False:
                found.append((entry, "" if fits or self.first_to_meet(kind) else _PERHAPS))
            if fits:
                self.met.setdefault(id(kind), 0)
                return found
            broad = broad or (fits is None and named(kind) & _BROAD)
        return [*found, (node.next, _PERHAPS if broad else "")]

    def first_to_meet(self, kind: ast.expr | None) -> bool:
        """Whether this is the first call that a handler may be for: for something it was written."""
        line = self.steps[self.item][4]
        return self.met.setdefault(id(kind), line) == line

    def doubt(self, path: Path, passed: bool) -> None:
        """An exception of an unknown class that meets a handler for one class: that it fits is a guess, and so it is
        that it does not where the handler is for nearly all that goes wrong outside."""
        if path.error is None or path.error.type not in ("", RAISED):
            return
        if passed:
            path.error = path.error._replace(level=min(path.error.level, 1))
        else:
            path.env[_PERHAPS] = ("k", True)

    def caught(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        assert isinstance(node.item, ast.ExceptHandler)
        if node.item.name:
            path.put(node.item.name, ("o", "builtins.Exception"))
        path.put(_CAUGHT, ("error", path.error))
        return ((node.next, "is caught"),)

    def calm(self, node: Node, path: Path) -> Sequence[tuple[int, str]]:
        path.error = None
        path.put(_CAUGHT, None)
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
        if value is not None and value[0] != "d":
            self.keep(path, value, HANDED_BACK)
        return ((node.next, "returns"),)

    # -- the end ---------------------------------------------------------------------------------------------------

    def leave_function(self, at: int, path: Path) -> None:
        """What is still open now stays open."""
        self.exits.append((path, at))
        error = path.error if at == ESCAPED else None
        self.result_of_closed(path, at)
        half_built = at == ESCAPED and self.function.name in ("__init__", "__enter__", "__aenter__")
        for index, hold in list(path.held.items()):
            site = self.sites[index]
            if hold.state is not State.OPEN or site.borrowed or site.kind.weak:
                continue
            if hold.note == "stored" and half_built and not isinstance(self.function.node, ast.Module):
                self.lose(path, index, "init", error or Error("", 1), site.line)
            elif not hold.note:
                how = "exit"
                if error is not None:
                    how = "generator" if error.type == "builtins.GeneratorExit" else "error"
                self.lose(path, index, how, error or Error("", 1 if _PERHAPS in path.env else 3), site.line)

    def result_of_closed(self, path: Path, at: int) -> None:
        """What is returned was closed on the way out."""
        value = path.result
        if at != RETURNED or value is None or value[0] not in ("r", "d"):
            return
        returning = self.returning_step()
        for index in resources_in(value):
            if path.held[index].released and returning is not None:
                self.use(path, index, returning, "returned")

    def returning_step(self) -> ast.AST | None:
        """The ``return`` this exit came from."""
        step = self.item
        while step >= 0:
            at, _, before, _, _ = self.steps[step]
            if self.flow.nodes[at].kind is Kind.RETURN:
                return self.flow.nodes[at].item
            step = before
        return None


def _annotations(node: ast.AST) -> dict[str, ast.expr]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return {}
    given = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    return {argument.arg: argument.annotation for argument in given if argument.annotation is not None}


def _hidden(item: ast.withitem) -> str:
    return f"{item.context_expr.lineno}:{item.context_expr.col_offset} with"


def _captures(pattern: ast.pattern) -> list[str]:
    return [n.name for n in ast.walk(pattern) if isinstance(n, ast.MatchAs | ast.MatchStar) and n.name]


_STATEMENTS: Final[dict[type[ast.AST], Callable[..., None]]] = {
    ast.Assign: Walk.assign,
    ast.AnnAssign: Walk.annotated,
    ast.AugAssign: Walk.augmented,
    ast.Expr: Walk.expression,
    ast.Delete: Walk.delete,
    ast.FunctionDef: Walk.define,
    ast.AsyncFunctionDef: Walk.define,
    ast.ClassDef: Walk.define,
}

_TRANSFERS: Final[dict[Kind, Callable[[Walk, Node, Path], Sequence[tuple[int, str]]]]] = {
    Kind.DO: Walk.do,
    Kind.TEST: Walk.test,
    Kind.FOR: Walk.loop,
    Kind.ENTER: Walk.enter,
    Kind.LEAVE: Walk.leave,
    Kind.CATCH: Walk.catch,
    Kind.CAUGHT: Walk.caught,
    Kind.CALM: Walk.calm,
    Kind.CASE: Walk.case,
    Kind.RETURN: Walk.return_,
}
