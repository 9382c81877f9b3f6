"""A litmus test's question, asked of one end of the program."""

from __future__ import annotations

from dataclasses import dataclass

from tenure.golang.syntax import Atom, Both, Either, Expression, Not

__all__ = ["Ending", "true"]


@dataclass(frozen=True, slots=True)
class Ending:
    """What can be seen when a program has ended; of one that was ended by force only what it told before."""

    log: tuple[tuple[str, int], ...]  #: what happened, each with its cycle
    freed: tuple[tuple[str, int], ...]  #: the objects that were freed, each with its cycle
    variables: tuple[tuple[str, str], ...]  #: the globals' last values
    how: str  #: ``exit`` when every thread came to its end, or what ended it before
    leaks: tuple[str, ...]  #: native blocks and descriptors that are still open


def true(expression: Expression, ending: Ending) -> bool:
    """Whether ``expression`` holds of ``ending``."""
    match expression:
        case Not(inner):
            return not true(inner, ending)
        case Both(left, right):
            return true(left, ending) and true(right, ending)
        case Either(left, right):
            return true(left, ending) or true(right, ending)
        case Atom():
            return _ATOMS.get(expression.kind, _ended)(expression, ending)


def _event(atom: Atom, ending: Ending) -> bool:
    cycles = [cycle for name, cycle in ending.log if name == atom.name]
    if atom.times is not None:
        return len(cycles) == atom.times
    return bool(cycles) if atom.cycle is None else atom.cycle in cycles


def _before(atom: Atom, ending: Ending) -> bool:
    """Both happened, and the first time of one lies before the first time of the other."""
    names = [name for name, _ in ending.log]
    return atom.name in names and atom.other in names and names.index(atom.name) < names.index(atom.other)


def _freed(atom: Atom, ending: Ending) -> bool:
    cycles = [cycle for name, cycle in ending.freed if name == atom.name]
    return bool(cycles) if atom.cycle is None else atom.cycle in cycles


def _variable(atom: Atom, ending: Ending) -> bool:
    return dict(ending.variables).get(atom.name) == atom.other


def _leak(atom: Atom, ending: Ending) -> bool:
    return bool(ending.leaks)


def _ended(atom: Atom, ending: Ending) -> bool:
    return ending.how.startswith(atom.kind)


_ATOMS = {"event": _event, "before": _before, "freed": _freed, "variable": _variable, "leak": _leak}
