"""What a function's summary says of its arguments and its result, played on the caller's path."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tenure.check.effects import TAKEN
from tenure.check.modules import Function
from tenure.check.openers import CLOSER_NAMES
from tenure.check.opening import Argument, Opening
from tenure.check.state import KEPT, NONE, Error, Path, Value, resources_in

if TYPE_CHECKING:
    from tenure.check.summaries import Outcome, Summaries, Summary

__all__ = ["Built", "Enacting", "defaults_of", "holder", "shown", "taken_by_name"]


@dataclass(frozen=True)
class Built:
    """How an object came out of its constructor."""

    holds: bool  #: it has opened something of its own
    doubtful: bool  #: had another argument been given, it would hold that instead
    attached: frozenset[tuple[str, int]]  #: what it was given and holds on to, by attribute


class Enacting(Opening):
    """Calls of functions whose outcomes are known."""

    summaries: Summaries
    built: Built | None = None
    adopted: set[int]  #: what the constructor under way has put into attributes that its class closes

    def bindings(self, function: Function, receiver: Value, arguments: Sequence[Argument]) -> dict[str, Argument]:
        """Which parameter gets which argument; ``self`` stays out, a starred parameter stands for the rest."""
        names = function.parameters
        plain = not function.owner or "builtins.staticmethod" in function.decorators()
        if names and not plain and receiver is not None:
            names = names[1:]
        bound: dict[str, Argument] = {}
        rest = _starred_name(function)
        for argument in arguments:
            if isinstance(argument.key, int) and argument.key < len(names):
                bound[names[argument.key]] = argument
            elif isinstance(argument.key, str) and argument.key in names:
                bound[argument.key] = argument
            elif rest:
                bound[rest] = _joined(bound.get(rest), argument)
        if not any(argument.key in ("*", "**") for argument in arguments):
            bound.update(
                {name: given for name, given in self.summaries.defaults(function).items() if name not in bound}
            )
        return bound

    def raise_outcomes(
        self,
        summary: Summary,
        bound: dict[str, Argument],
        error: Error,
        node: ast.Call,
        before: Path,
        after: Path,
        on_purpose: bool,
    ) -> None:
        """On the exception edge too, the callee may have closed what it was given, or have it in its care."""
        ends = summary.raising or summary.normal  # it raises only where its own walk saw nothing that would
        closed = [name for o in ends for name, effect in o.effects if effect == "closed"]
        for name in closed:
            for index in resources_in(bound[name].value if name in bound else None):
                self.release(before, index, node, "")
        for name in _kept_always(summary.raising):
            self.keep(before, bound[name].value if name in bound else None)
        for index in before.held:
            if before.held[index].open and after.held[index].note in (KEPT, TAKEN):
                before.held[index] = after.held[index]
        self.may_raise(before, error.level, error.type, node, shown(node), far=False if on_purpose else None)

    def pick(self, outcomes: Sequence[Outcome], bound: dict[str, Argument], path: Path) -> Outcome | None:
        """One of the outcomes that fit what is known of the arguments."""
        fitting = [o for o in outcomes if all(self.fits(fact, bound, path) is not False for fact in o.facts)]
        if not fitting:
            return outcomes[0] if outcomes else None
        chosen = fitting[self.choices.choose(len(fitting)) if len(fitting) > 1 else 0]
        for fact, answer in chosen.facts:
            argument = bound.get(fact.partition(" ")[0])
            if argument is not None and isinstance(argument.node, ast.Name):
                path.facts.setdefault(fact.replace(fact.partition(" ")[0], argument.node.id, 1), answer)
        return chosen

    def fits(self, fact: tuple[str, bool], bound: dict[str, Argument], path: Path) -> bool | None:
        text, answer = fact
        name, _, rest = text.partition(" ")
        argument = bound.get(name)
        if argument is None:
            return None
        value = argument.value
        worth_unknown = value is not None and not rest and value[0] == "r" and self.sites[value[1]].borrowed
        if value is None or worth_unknown:
            known = path.facts.get(f"{_name_of(argument.node)} {rest}".strip())
            return None if known is None else known == answer
        if rest == "is None":
            return (value == NONE) == answer
        if not rest and value[0] == "k":
            return bool(value[1]) == answer
        return answer if not rest and value[0] in _TRUE else None

    def enact(
        self, outcome: Outcome, bound: dict[str, Argument], node: ast.Call, path: Path, function: Function
    ) -> Value:
        for name, effect in outcome.effects:
            value = bound[name].value if name in bound else None
            if effect == "closed":
                for index in resources_in(value):
                    self.release(path, index, node, function.name)
            elif effect.startswith("self.") and function.name == "__init__" and self.sure_to_close(function, name):
                self.adopted.update(i for i in resources_in(value) if self.is_owed(i, path.held[i]))
                self.keep(path, value)
            elif (
                effect == "kept"
                or (effect.startswith("self.") and self.closes_attribute(function, effect[5:]))
                or (effect.startswith("self.") and self.is_closed_from_outside(function, effect[5:], value, path))
                or self.is_way_to_close(value)
            ):
                self.keep(path, value)
        self.enact_called(bound, node, path, function)
        return self.result(outcome.result, bound, node, path, function)

    def is_ours(self, value: Value) -> bool:
        """Whether a function that is given this is given something to close."""
        held = list(resources_in(value))
        through = value is not None and value[0] == "h"  # what is the caller's, in an object, is too far away
        return any(not self.sites[index].borrowed for index in held) if through else bool(held)

    def entrust(self, function: Function, receiver: Value, arguments: Sequence[Argument], path: Path) -> None:
        """A coroutine that has not begun: what it will close, keep or give back is in its care from here on; what it
        only uses stays with whoever made it."""
        summary = self.summaries.of(function, any(self.is_ours(argument.value) for argument in arguments))
        ends = (*summary.normal, *summary.raising) if summary is not None else ()
        taken = {name for end in ends for name in (*dict(end.effects), *_passed_on(end.result))}
        bound = self.bindings(function, receiver, arguments) if summary is not None else {}
        lent = {id(argument) for name, argument in bound.items() if name not in taken}
        for argument in arguments:
            if id(argument) not in lent:
                self.keep(path, argument.value)

    def may_pass_on(self, summary: Summary, bound: dict[str, Argument]) -> bool:
        """Whether the result may be an argument nobody here knows: a file, or the name of one."""
        names = {name for o in summary.normal for name in _passed_on(o.result)}
        return any(self.is_unknown(bound[name]) for name in names if name in bound)

    def is_unknown(self, argument: Argument) -> bool:
        """What came in as a parameter or lies in an attribute may be anything; a standard stream is nobody's here."""
        value = argument.value
        if value is not None and value[0] == "fn":
            return value[1].removesuffix(".buffer") in _STANDARD
        if value is None or value[0] == "a":
            return isinstance(argument.node, ast.Attribute | ast.Subscript)
        return bool(value[0] == "r" and self.sites[value[1]].borrowed)

    def doubt_fresh(self, outcome: Outcome, value: Value) -> None:
        if not _passed_on(outcome.result):
            for index in resources_in(value):
                self.sites[index].doubtful = self.sites[index].doubtful or not self.sites[index].borrowed

    def building(self, summary: Summary, outcome: Outcome, bound: dict[str, Argument]) -> Built:
        """What has become of the arguments of a constructor."""
        attached = frozenset(
            (effect.removeprefix("self."), index)
            for name, effect in outcome.effects
            if effect.startswith("self.") and name in bound
            for index in resources_in(bound[name].value)
        )
        kept = {name for o in summary.normal if not o.holds for name, effect in o.effects if effect.startswith("self.")}
        doubtful = any(self.is_unknown(bound[name]) for name in kept if name in bound)
        return Built(outcome.holds, doubtful, attached)

    def enact_called(self, bound: dict[str, Argument], node: ast.Call, path: Path, function: Function) -> None:
        """What a function calls upon an argument may be what closes its kind: ``image.load()``, ``response.read()``."""
        walk = self.summaries.walks.get(function)
        for name, called in walk.called.items() if walk is not None else ():
            for index in resources_in(bound[name].value if name in bound else None):
                closers = self.sites[index].kind.closers - CLOSER_NAMES
                if index in path.held and path.held[index].open and called & closers:
                    self.release(path, index, node, function.name)

    def is_way_to_close(self, value: Value) -> bool:
        """A function that was written here, or a bound ``close``: whoever holds it can close what it knows."""
        if value is None or value[0] not in ("f", "m"):
            return False
        return bool(value[3]) if value[0] == "f" else value[2] in self.sites[value[1]].kind.closers

    def sure_to_close(self, function: Function, parameter: str) -> bool:
        """Whether the class of a constructor is seen to close, where one expects it to, what it was given."""
        classes, owner, walk = self.summaries.classes, function.owner, self.summaries.walks.get(function)
        if owner is None or walk is None or classes.closes_itself(owner):
            return False
        return any(
            classes.method_closes(owner, name, attribute)
            for name in classes.closing_methods(owner)
            for attribute in walk.given.get(parameter, ())
        )

    def closes_attribute(self, function: Function, attribute: str) -> bool:
        return function.owner is None or self.summaries.classes.may_close(function.owner, attribute)

    def is_closed_from_outside(self, function: Function, attribute: str, value: Value, path: Path) -> bool:
        """``reap(child)`` says ``child.log.close()``: what the object was given is closed through it."""
        owner = function.owner
        if owner is None or not any(self.is_owed(index, path.held[index]) for index in resources_in(value)):
            return False
        return self.summaries.overview.somebody_closes(f"{owner.name}.{attribute}", owner.module.root)

    def result(
        self, shape: Value, bound: dict[str, Argument], node: ast.Call, path: Path, function: Function, part: int = 0
    ) -> Value:
        """What the call returns, from the shape its summary gives."""
        if shape is None:
            return None
        if shape[0] == "fresh":
            site = self.site(node, (part, shape[1]), shape[1], function.name, shape[2])
            if shape[2] is not None:
                site.kind = self.summaries.classes.kind(shape[2])
            return self.open(path, site, shape[3])
        if shape[0] == "param":
            return bound[shape[1]].value if shape[1] in bound else None
        if shape[0] == "wraps":
            wrapped = bound[shape[1]].value if shape[1] in bound else None
            return ("w", wrapped[1]) if wrapped is not None and wrapped[0] == "r" else None
        if shape[0] == "holds":
            given = ((attribute, bound[name].value) for attribute, name in shape[1] if name in bound)
            return holder(frozenset((a, i) for a, value in given for i in resources_in(value)), shape[2])
        if shape[0] == "reads":
            held = frozenset(i for name in shape[1] if name in bound for i in resources_in(bound[name].value))
            return ("d", held) if held else None
        if shape[0] == "t":
            return (
                "t",
                tuple(self.result(s, bound, node, path, function, part * 8 + n + 1) for n, s in enumerate(shape[1])),
            )
        return shape


_STANDARD: Final = frozenset({"sys.stdin", "sys.stdout", "sys.stderr"})
#: Values that are true, whatever else they are.
_TRUE: Final = frozenset({"r", "t", "o", "fn", "fm", "f", "h", "m", "self"})


def defaults_of(function: Function) -> dict[str, Argument]:
    """The parameters that a caller may leave out, with the constants they are then."""
    if isinstance(function.node, ast.Module):
        return {}
    given = function.node.args
    plain = [*given.posonlyargs, *given.args]
    pairs = [
        *zip(reversed(plain), reversed(given.defaults), strict=False),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]
    return {
        parameter.arg: Argument(parameter.arg, ("k", default.value), default)
        for parameter, default in pairs
        if isinstance(default, ast.Constant) and isinstance(default.value, bool | int | str | None)
    }


def _kept_always(outcomes: Sequence[Outcome]) -> set[str]:
    """The parameters that somebody else owns, whatever goes wrong."""
    kept = [{name for name, effect in outcome.effects if effect == "kept"} for outcome in outcomes]
    return set.intersection(*kept) if kept else set()


def _passed_on(shape: Value) -> list[str]:
    """The parameters that a result is, or that are among its members."""
    if shape is None:
        return []
    if shape[0] == "t":
        return [name for member in shape[1] for name in _passed_on(member)]
    return [shape[1]] if shape[0] == "param" else []


def _name_of(node: ast.expr) -> str:
    """The text of a name."""
    return node.id if isinstance(node, ast.Name) else ""


def _starred_name(function: Function) -> str:
    if isinstance(function.node, ast.Module) or function.node.args.vararg is None:
        return ""
    return function.node.args.vararg.arg


def taken_by_name(function: Function, arguments: Sequence[Argument]) -> list[Argument]:
    """What goes into ``**rest``, where it is followed no further."""
    if isinstance(function.node, ast.Module) or function.node.args.kwarg is None:
        return []
    names = {*function.parameters, "**"}
    return [argument for argument in arguments if isinstance(argument.key, str) and argument.key not in names]


def _joined(before: Argument | None, more: Argument) -> Argument:
    held = [*resources_in(before.value if before else None), *resources_in(more.value)]
    return Argument("*", ("c", frozenset(held)), more.node)


def holder(attached: frozenset[tuple[str, int]], dotted: str) -> Value:
    """An object of a class that closes nothing of what it was given."""
    held = frozenset(index for _, index in attached)
    return ("h", held, dotted, attached) if held else ("o", dotted)


def shown(node: ast.Call) -> str:
    """A call as it is shown in a story."""
    text = ast.unparse(node.func)
    return f"{text if len(text) < 60 else '…' + text[-50:]}()"
