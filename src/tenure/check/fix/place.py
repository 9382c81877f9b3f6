"""Where an acquisition stands in the concrete syntax tree: its call, its statement, the block and the function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider

from tenure.check.finding import Facts, Finding
from tenure.check.lines import split

__all__ = ["Place", "callee", "find", "name_uses", "with_header"]


@dataclass(frozen=True)
class Place:
    """One acquisition, and all around it."""

    module: cst.Module
    facts: Facts
    call: cst.BaseExpression  #: the acquiring call
    statement: cst.BaseStatement  #: the statement of ``block`` that holds the call
    block: cst.IndentedBlock | cst.Module
    function: cst.FunctionDef | None
    parents: Mapping[cst.CSTNode, cst.CSTNode]

    @property
    def index(self) -> int:
        """Which statement of the block it is."""
        return next(n for n, statement in enumerate(self.block.body) if statement is self.statement)

    @property
    def after(self) -> Sequence[cst.BaseStatement]:
        """The statements of the block that follow."""
        return self.block.body[self.index + 1 :]

    def up(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Everything around ``node``, from the inside out."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def may_mean_module(self, name: str) -> bool:
        """Whether the name stands, wherever it is mentioned, for the module that ``import name`` gives."""
        return all(self._is_module(use) for use in name_uses(self.module, name))

    def _is_module(self, use: cst.Name) -> bool:
        parent = self.parents.get(use)
        if isinstance(parent, cst.ImportAlias):
            return parent.asname is None and isinstance(self.parents.get(parent), cst.Import)
        return isinstance(parent, cst.Attribute) and parent.value is use

    def with_body(self, body: Sequence[cst.BaseStatement], needs: Sequence[str] = ()) -> cst.Module:
        """The module with the block's statements replaced, and the modules it ``needs`` imported."""
        if self.block is self.module:
            changed = self.module.with_changes(body=list(body))
        else:
            block = cast(cst.IndentedBlock, self.block)
            changed = cast(cst.Module, self.module.deep_replace(block, block.with_changes(body=list(body))))
        return with_header(changed, needs)


def callee(place: Place) -> str:
    """The last part of the name that is called."""
    name = get_full_name_for_node(cast(cst.Call, place.call).func) or ""
    return name.rpartition(".")[2]


def find(module: cst.Module, text: str, finding: Finding) -> Place | None:
    """The place a finding is about; nothing where the tree has no such call, or it stands in no block."""
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    ranges = cast(Mapping[cst.CSTNode, CodeRange], wrapper.resolve(PositionProvider))
    parents = cast(Mapping[cst.CSTNode, cst.CSTNode], wrapper.resolve(ParentNodeProvider))
    lines = split(text)
    start, end = _call(finding, lines)
    calls = [
        node
        for node, span in ranges.items()
        if isinstance(node, cst.Call)
        and (span.start.line, span.start.column) == start
        and (not end[0] or (span.end.line, span.end.column) == end)
    ]
    return _around(module, finding.facts, calls[0], parents) if calls else None


def _call(finding: Finding, lines: Sequence[str]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where the call begins and ends, in characters; the end is (0, 0) where only the beginning is known."""
    facts = finding.facts
    if not facts.call_start[0]:
        return (finding.line, finding.column - 1), (0, 0)
    return _characters(facts.call_start, lines), _characters(facts.call_end, lines)


def _characters(place: tuple[int, int], lines: Sequence[str]) -> tuple[int, int]:
    """A place whose column counts bytes, as ``ast`` does, as one that counts characters, as libcst does."""
    line, column = place
    if not 0 < line <= len(lines):
        return place
    return line, len(lines[line - 1].encode()[:column].decode(errors="replace"))


def _around(
    module: cst.Module, facts: Facts, call: cst.Call, parents: Mapping[cst.CSTNode, cst.CSTNode]
) -> Place | None:
    statement: cst.CSTNode = call
    while (parent := parents.get(statement)) is not None:
        if isinstance(parent, cst.IndentedBlock | cst.Module) and isinstance(statement, cst.BaseStatement):
            function: cst.CSTNode | None = parent
            while function is not None and not isinstance(function, cst.FunctionDef):
                if isinstance(function, cst.ClassDef):
                    return None
                function = parents.get(function)
            return Place(module, facts, call, statement, parent, function, parents)
        if isinstance(parent, cst.Lambda):
            return None
        statement = parent
    return None


class _Uses(cst.CSTVisitor):
    """Collects the places where a variable of that name is read, written or deleted."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.found: list[cst.Name] = []

    def visit_Name(self, node: cst.Name) -> None:
        if node.value == self.name:
            self.found.append(node)

    def visit_Attribute(self, node: cst.Attribute) -> bool:
        node.value.visit(self)
        return False

    def visit_Arg(self, node: cst.Arg) -> bool:
        node.value.visit(self)
        return False


def name_uses(node: cst.CSTNode, name: str) -> list[cst.Name]:
    """Where ``node`` mentions the variable; not attributes or keyword arguments that happen to be called so."""
    visitor = _Uses(name)
    node.visit(visitor)
    return visitor.found


def with_header(module: cst.Module, names: Sequence[str]) -> cst.Module:
    """Put imports of modules that are not there yet behind the docstring and the ``__future__`` imports."""
    present = {alias.evaluated_name for statement in module.body for alias in _imported(statement)}
    missing = [cst.parse_statement(f"import {name}") for name in names if name not in present]
    at = 0
    while at < len(module.body) and _is_preamble(module, module.body[at]):
        at += 1
    return module.with_changes(body=[*module.body[:at], *missing, *module.body[at:]])


def _imported(statement: cst.CSTNode) -> Iterator[cst.ImportAlias]:
    """The aliases of ``import os, sys``; one with another name does not count."""
    for small in statement.body if isinstance(statement, cst.SimpleStatementLine) else ():
        if isinstance(small, cst.Import):
            yield from (alias for alias in small.names if alias.asname is None)


def _is_preamble(module: cst.Module, statement: cst.CSTNode) -> bool:
    code = module.code_for_node(statement).lstrip()
    is_text = (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    )
    return is_text or "from __future__" in code.splitlines()[-1]
