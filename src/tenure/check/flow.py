"""The ways through one function: a graph of statements with an edge for each exception that may leave them.

It knows nothing of resources. A statement that leaves a ``try … finally`` or a ``with`` passes through a copy of
what has to run on the way, one copy for each place it may lead to, so that every path through the graph is a path
the interpreter could take.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

__all__ = ["ESCAPED", "LIMIT", "RETURNED", "Exits", "Flow", "Kind", "Node", "TooLarge", "flow_of"]

#: More nodes than this is no function a person wrote.
LIMIT: Final = 20_000


class TooLarge(Exception):
    """The function has more ways through it than the checker follows."""


class Kind(IntEnum):
    """What happens at a node."""

    RETURNED = 0  #: the function returns
    ESCAPED = 1  #: an exception leaves the function
    DO = 2  #: a simple statement
    TEST = 3  #: a condition: ``next`` if true, ``other`` if false
    FOR = 4  #: the next item of a loop: ``next`` if there is one, ``other`` if not
    ENTER = 5  #: a ``with`` item is evaluated and entered
    LEAVE = 6  #: a ``with`` item is left; with an exception under way, ``other`` is where it goes if swallowed
    CATCH = 7  #: an exception looks for its handler among ``arms``, else goes on to ``next``
    CAUGHT = 8  #: a handler begins
    CALM = 9  #: the exception is over
    CASE = 10  #: a pattern: ``next`` if it matches, ``other`` if not
    RETURN = 11  #: the value of a ``return`` is evaluated
    PENDING = 12  #: an exception enters a ``finally`` that has exceptions of its own
    RESUME = 13  #: the end of that: the exception goes on, though another was caught on the way


RETURNED: Final = 0
ESCAPED: Final = 1


@dataclass(slots=True)
class Node:
    """A place in the graph."""

    kind: Kind
    item: ast.AST | None
    next: int
    raises: int
    other: int = -1
    arms: tuple[tuple[ast.expr | None, int], ...] = ()
    line: int = 0
    cleaning: bool = False  #: it stands in a ``finally``


@dataclass(frozen=True, slots=True)
class Exits:
    """Where a statement may go besides the next one; asking for one builds what has to run on the way."""

    raises: int
    returns: Callable[[], int]
    breaks: Callable[[], int]
    continues: Callable[[], int]


@dataclass(slots=True)
class Flow:
    """The graph; node 0 is the return, node 1 the escaping exception."""

    nodes: list[Node] = field(default_factory=list)
    entry: int = 0


def flow_of(body: Sequence[ast.stmt]) -> Flow:
    """The graph of a function's body."""
    flow = Flow([Node(Kind.RETURNED, None, -1, -1), Node(Kind.ESCAPED, None, -1, -1)])
    builder = _Builder(flow.nodes)
    nowhere = Exits(ESCAPED, lambda: RETURNED, lambda: RETURNED, lambda: RETURNED)
    flow.entry = builder.block(body, RETURNED, nowhere)
    return flow


def _once(make: Callable[[], int]) -> Callable[[], int]:
    made: list[int] = []

    def get() -> int:
        if not made:
            made.append(make())
        return made[0]

    return get


def _always(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


class _Builder:
    """Builds backwards: each statement is told what comes after it, and answers where it begins."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.cleaning = False

    def add(self, kind: Kind, item: ast.AST | None, following: int, raises: int, other: int = -1) -> int:
        if len(self.nodes) >= LIMIT:
            raise TooLarge(f"more than {LIMIT} nodes")
        line = getattr(item, "lineno", 0)
        self.nodes.append(Node(kind, item, following, raises, other, (), line, self.cleaning))
        return len(self.nodes) - 1

    def block(self, body: Sequence[ast.stmt], after: int, exits: Exits) -> int:
        for statement in reversed(body):
            make = _MAKERS.get(type(statement))
            if make is None:
                after = self.add(Kind.DO, statement, after, exits.raises)
            else:
                after = make(self, statement, after, exits)
        return after

    def make_if(self, statement: ast.If, after: int, exits: Exits) -> int:
        arms = [statement]
        while len(arms[-1].orelse) == 1 and isinstance(arms[-1].orelse[0], ast.If):
            arms.append(arms[-1].orelse[0])  # a chain of ``elif`` is long rather than deep
        following = self.block(arms[-1].orelse, after, exits)
        for arm in reversed(arms):
            body = self.block(arm.body, after, exits)
            following = self.add(Kind.TEST, arm.test, body, exits.raises, following)
        return following

    def make_while(self, statement: ast.While, after: int, exits: Exits) -> int:
        done = self.block(statement.orelse, after, exits)
        head = self.add(Kind.TEST, statement.test, -1, exits.raises, done)
        inside = Exits(exits.raises, exits.returns, lambda: after, lambda: head)
        self.nodes[head].next = self.block(statement.body, head, inside)
        return head

    def make_for(self, statement: ast.For | ast.AsyncFor, after: int, exits: Exits) -> int:
        done = self.block(statement.orelse, after, exits)
        head = self.add(Kind.FOR, statement, -1, exits.raises, done)
        inside = Exits(exits.raises, exits.returns, lambda: after, lambda: head)
        self.nodes[head].next = self.block(statement.body, head, inside)
        return self.add(Kind.DO, _iterated(statement), head, exits.raises)

    def make_with(self, statement: ast.With | ast.AsyncWith, after: int, exits: Exits) -> int:
        return self.with_items(statement, 0, after, exits)

    def with_items(self, statement: ast.With | ast.AsyncWith, at: int, after: int, exits: Exits) -> int:
        if at == len(statement.items):
            return self.block(statement.body, after, exits)
        item = statement.items[at]

        def leaving(target: int) -> int:
            return self.leave(item, statement, target, exits.raises)

        thrown = self.leave(item, statement, exits.raises, exits.raises)
        self.nodes[thrown].other = after
        inside = self.passing(exits, thrown, leaving)
        body = self.with_items(statement, at + 1, leaving(after), inside)
        entered = self.add(Kind.ENTER, item, body, exits.raises)
        self.nodes[entered].line = item.context_expr.lineno
        return entered

    def leave(self, item: ast.withitem, statement: ast.stmt, target: int, raises: int) -> int:
        node = self.add(Kind.LEAVE, item, target, raises)
        self.nodes[node].line = statement.end_lineno or statement.lineno
        return node

    def passing(self, exits: Exits, raises: int, through: Callable[[int], int]) -> Exits:
        """The exits of a protected body: each leads through a copy of what has to run on the way."""
        return Exits(
            raises,
            _once(lambda: through(exits.returns())),
            _once(lambda: through(exits.breaks())),
            _once(lambda: through(exits.continues())),
        )

    def make_try(self, statement: ast.Try, after: int, exits: Exits) -> int:
        outer = exits
        if statement.finalbody:

            def through(target: int) -> int:
                return self.clean_up(statement.finalbody, target, outer)

            exits = self.passing(outer, self.thrown_through(statement, through, outer), through)
            after = through(after)
        if not statement.handlers:
            return self.block([*statement.body, *statement.orelse], after, exits)
        catch = self.add(Kind.CATCH, statement, exits.raises, exits.raises)
        self.nodes[catch].arms = tuple((arm.type, self.handler(arm, after, exits)) for arm in statement.handlers)
        guarded = Exits(catch, exits.returns, exits.breaks, exits.continues)
        return self.block(statement.body, self.block(statement.orelse, after, exits), guarded)

    def thrown_through(self, statement: ast.Try, through: Callable[[int], int], exits: Exits) -> int:
        """The copy of a ``finally`` for exceptions; it remembers its own where others may come and go in it."""
        if not any(isinstance(n, ast.Try | ast.With | ast.AsyncWith) for s in statement.finalbody for n in ast.walk(s)):
            return through(exits.raises)
        end = self.add(Kind.RESUME, statement, exits.raises, exits.raises)
        return self.add(Kind.PENDING, statement, through(end), exits.raises)

    def clean_up(self, body: Sequence[ast.stmt], target: int, exits: Exits) -> int:
        """A copy of a ``finally`` on the way to ``target``."""
        before, self.cleaning = self.cleaning, True
        start = self.block(body, target, exits)
        self.cleaning = before
        return start

    def handler(self, arm: ast.ExceptHandler, after: int, exits: Exits) -> int:
        calm = self.add(Kind.CALM, None, after, exits.raises)

        def calming(target: int) -> int:
            return self.add(Kind.CALM, None, target, exits.raises)

        inside = self.passing(exits, exits.raises, calming)
        return self.add(Kind.CAUGHT, arm, self.block(arm.body, calm, inside), exits.raises)

    def make_match(self, statement: ast.Match, after: int, exits: Exits) -> int:
        following = after
        for case in reversed(statement.cases):
            body = self.block(case.body, after, exits)
            if case.guard is not None:
                body = self.add(Kind.TEST, case.guard, body, exits.raises, following)
            node = self.add(Kind.CASE, case.pattern, body, exits.raises, following)
            following = node
        return self.add(Kind.DO, _evaluated(statement.subject), following, exits.raises)

    def make_return(self, statement: ast.Return, after: int, exits: Exits) -> int:
        return self.add(Kind.RETURN, statement, exits.returns(), exits.raises)

    def make_raise(self, statement: ast.Raise, after: int, exits: Exits) -> int:
        return self.add(Kind.DO, statement, exits.raises, exits.raises)

    def make_break(self, statement: ast.Break, after: int, exits: Exits) -> int:
        return exits.breaks()

    def make_continue(self, statement: ast.Continue, after: int, exits: Exits) -> int:
        return exits.continues()

    def make_pass(self, statement: ast.stmt, after: int, exits: Exits) -> int:
        return after

    def make_assert(self, statement: ast.Assert, after: int, exits: Exits) -> int:
        failing = ast.copy_location(
            ast.Raise(exc=ast.copy_location(ast.Name("AssertionError", ast.Load()), statement)), statement
        )
        return self.add(Kind.TEST, statement.test, after, exits.raises, self.make_raise(failing, after, exits))


def _iterated(statement: ast.For | ast.AsyncFor) -> ast.stmt:
    """``for x in it`` first evaluates ``it``; the loop holds the result under a name nobody can write."""
    hidden = ast.copy_location(ast.Name(f"{statement.lineno}:{statement.col_offset} for", ast.Store()), statement)
    return ast.copy_location(ast.Assign(targets=[hidden], value=statement.iter), statement.iter)


def _evaluated(value: ast.expr) -> ast.stmt:
    return ast.copy_location(ast.Expr(value), value)


_MAKERS: Final[dict[type[ast.stmt], Callable[..., int]]] = {
    ast.If: _Builder.make_if,
    ast.While: _Builder.make_while,
    ast.For: _Builder.make_for,
    ast.AsyncFor: _Builder.make_for,
    ast.With: _Builder.make_with,
    ast.AsyncWith: _Builder.make_with,
    ast.Try: _Builder.make_try,
    ast.TryStar: _Builder.make_try,
    ast.Match: _Builder.make_match,
    ast.Return: _Builder.make_return,
    ast.Raise: _Builder.make_raise,
    ast.Break: _Builder.make_break,
    ast.Continue: _Builder.make_continue,
    ast.Pass: _Builder.make_pass,
    ast.Assert: _Builder.make_assert,
}
