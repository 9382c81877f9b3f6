"""Every path through one function, followed with what each resource has come to on it."""

from __future__ import annotations

import ast
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from tenure.check.effects import PERHAPS, UNLIKELY, Stop, Tables, doubtful
from tenure.check.flow import ESCAPED, RETURNED, Flow, Kind, Node, flow_of
from tenure.check.modules import Class, Function, dotted_text
from tenure.check.openers import KINDS
from tenure.check.project import Project
from tenure.check.questions import Questions, own_nodes
from tenure.check.state import RETURNED as HANDED_BACK
from tenure.check.state import SELF, Error, Hold, Path, Site, Value, resources_in
from tenure.check.statements import TRANSFERS, Statements
from tenure.lifecycle import State

if TYPE_CHECKING:
    from tenure.check.summaries import Summaries

__all__ = ["Walk"]

#: More states than this at one place: what is known of conditions is given up there.
CROWDED: Final = 16
#: More steps than this in one function: the rest is left unvisited, and the function counts as unfinished.
MOST_STEPS: Final = 2_500
#: So many resources in all its steps together are as much as can be asked of one function.
MOST_HELD: Final = 100_000

_CONTEXT_MANAGERS: Final = frozenset({"contextlib.contextmanager", "contextlib.asynccontextmanager"})
_PROTOCOLS: Final = frozenset({"typing.Protocol", "typing_extensions.Protocol"})
#: Generators that are always resumed, and never with an exception.
_FIXTURES: Final = frozenset(
    ["pytest.fixture", "pytest.yield_fixture", "pytest_asyncio.fixture", "pytest.hookimpl", "_pytest.fixtures.fixture"]
)
#: Generators that somebody drives to their end: a ``yield`` of theirs is an ``await``.
_DRIVEN: Final = frozenset(
    ["tornado.gen.coroutine", "tornado.testing.gen_test", "twisted.internet.defer.inlineCallbacks", "asyncio.coroutine"]
)
_TRACKED_TYPES: Final = frozenset({"pathlib.Path", "zipfile.ZipFile", "ssl.SSLContext", "aiohttp.ClientSession"})
_KINDS_OF_TYPES: Final = {
    "socket.socket": "socket",
    **dict.fromkeys(("tenure.Handle", "tenure.Buffer", "tenure.SecretBuffer"), "tenure"),
}


class Walk(Statements):
    """One function, walked once; afterwards ``losses``, ``misuses``, ``fates`` and ``exits`` tell what was seen."""

    def __init__(self, function: Function, project: Project, tables: Tables, summaries: Summaries) -> None:
        super().__init__(function, project, tables)
        self.summaries = summaries
        self.globals: set[str] = set()
        decorators = set(function.decorators())
        self.is_context_manager = not _CONTEXT_MANAGERS.isdisjoint(decorators)
        self.is_fixture = not _FIXTURES.isdisjoint(decorators)
        self.is_driven = not _DRIVEN.isdisjoint(decorators)
        self.property_calls = {}
        self.awaited = set()
        self.entered = set()
        self.adopted = set()
        self.own = {}
        self.strangers = set()
        self.met: dict[int, int] = {}  #: handler -> the line of the first exception that may be for it
        self.unfinished = False
        self.exits: list[tuple[Path, int]] = []  #: how the function may end
        self.steps: list[tuple[int, Path, int, str, int]] = []  #: node, path, step before, what led here, its line
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
            elif isinstance(node, ast.Compare):
                self.questions.note(node)
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
        annotation = annotation.value if isinstance(annotation, ast.Subscript) else annotation  # ``Handle[int]``
        dotted = self.module.resolve(dotted_text(annotation)) if annotation is not None else ""
        kind = _KINDS_OF_TYPES.get(dotted, "closable")
        if dotted in _TRACKED_TYPES:
            return ("o", dotted)
        if dotted and kind == "closable" and not dotted.startswith(("builtins.", "typing.", "socket.", "io.")):
            found = self.project.find(self.module.root, dotted)
            if found is not None and not self.is_protocol(found) and not self.is_owner(found):
                return ("o", dotted)
            if found is None:
                self.strangers.add(name)
        site = Site(len(self.sites), self.function.node, KINDS[kind], kind, 0, parameter=name)
        self.sites.append(site)
        self.fates[site.index] = set()
        path.held[site.index] = Hold()
        return ("r", site.index)

    def is_protocol(self, found: Function | Class) -> bool:
        """A protocol says what an object can do; a file may well be one."""
        self.project.look_at(found)
        return isinstance(found, Class) and not _PROTOCOLS.isdisjoint(found.bases)

    def is_owner(self, found: Function | Class) -> bool:
        """What it says of the parameter is no more than that there is something to close."""
        return isinstance(found, Class) and self.summaries.classes.may_own(found)

    # -- the walk --------------------------------------------------------------------------------------------------

    def run(self) -> Walk:
        start = self.start()
        seen: dict[tuple[int, object], int] = {}
        crowd: Counter[int] = Counter()
        queue: deque[int] = deque()
        held = 0

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
            held += len(self.steps[queue[0]][1].held)
            if len(self.steps) > MOST_STEPS or held > MOST_HELD:
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
            if value[0] != "k" or name in names or name in (PERHAPS, UNLIKELY):
                env[name] = value
        facts = {fact: answer for fact, answer in path.facts.items() if fact in self.questions.guards}
        return Path(env, path.held, facts, path.error, path.result)

    def step(self, node: Node, path: Path) -> list[tuple[int, Path, str, int]]:
        """Everything that may follow a node from one state."""
        found: list[tuple[int, Path, str, int]] = []
        self.choices.script.clear()
        self.choices.at = self.choices.runs = 0
        self.node = node
        transfer = TRANSFERS[node.kind]
        while True:
            copy = path.copy()
            self.raised = []
            try:
                for following, word in transfer(self, node, copy):
                    after = copy if node.kind is not Kind.CATCH else copy.copy()
                    if word == PERHAPS:
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
                self.lose(path, index, how, error or Error("", 1 if doubtful(path) else 3), site.line)

    def handed_out(self) -> set[int]:
        """What was opened here and is the caller's to close."""
        held = (pair for path, _ in self.exits for pair in path.held.items())
        return {index for index, hold in held if hold.note == HANDED_BACK and not self.sites[index].borrowed}

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
