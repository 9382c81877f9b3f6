"""Writes a litmus test back as text, which reads as the same test."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from tenure.golang.syntax import BLOCKS, Function, Litmus, Reference, Statement

__all__ = ["text_of"]


def text_of(test: Litmus) -> str:
    """The text of ``test``."""
    lines = [f"litmus {test.name}", f'"{test.sentence}"']
    lines += [f'authority "{test.authority}"'] if test.authority else []
    lines += [f"rules {'..'.join(filter(None, test.rules))}"] if test.rules[0] else []
    lines += [f"procs {test.procs}"] if test.procs != 2 else []
    lines += [f"global {' '.join(test.globals)}"] if test.globals else []
    lines += ["heap {", *(f"  {_statement(step)}" for step in test.heap), "}"] if test.heap else []
    lines += [_function(function) for function in test.functions]
    lines += _columns([(thread.name, [_statement(step) for step in thread.body]) for thread in test.threads])
    lines += [f"observe {' '.join(test.observe)}"] if test.observe else []
    return "\n".join([*lines, f"{test.question.quantifier} {test.question.text}"]) + "\n"


def _columns(threads: Sequence[tuple[str, list[str]]]) -> list[str]:
    rows = [[name for name, _ in threads], *zip_longest(*(steps for _, steps in threads), fillvalue="")]
    widths = [max(len(row[at]) for row in rows) for at in range(len(threads))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [f"threads {lines[0]}", *(f"  {line}" for line in lines[1:])]


def _function(function: Function) -> str:
    captures = f" [{' '.join(function.captures)}]" if function.captures else ""
    return f"func {function.name}({function.parameter}){captures} {_body(function.body)}"


def _body(body: Sequence[Statement]) -> str:
    return f"{{ {'; '.join(map(_statement, body))} }}" if body else "{}"


def _statement(step: Statement) -> str:
    words = {
        "nil": [f"{step.target} = nil"],
        "copy": [f"{step.target} = {step.locations[0]}" if step.locations else ""],
        "finalizer": ["finalizer", *map(str, step.locations), _closure(step.function)],
        "cleanup": _cleanup(step),
    }.get(step.verb)
    if words is None:
        words = _plain(step)
    target = f"{step.target} = " if step.target and step.verb not in ("nil", "copy") else ""
    return target + " ".join(filter(None, words))


def _plain(step: Statement) -> list[str]:
    words = [step.verb, " = ".join(map(str, step.locations)) if step.verb in ("if", "unless") else ""]
    words += [] if words[1] else map(str, step.locations)
    words += [step.name, str(step.number) if step.number >= 0 else ""]
    words += [_body(step.body)] if step.verb in BLOCKS else []
    return words + ([f"else {_body(step.orelse)}"] if step.orelse else [])


def _closure(function: Reference | None) -> str:
    return "nil" if function is None else str(function)


def _cleanup(step: Statement) -> list[str]:
    return ["cleanup", *map(str, step.locations[:1]), str(step.function), *map(str, step.locations[1:])]
