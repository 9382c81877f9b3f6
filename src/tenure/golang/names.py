"""What every name of a litmus test stands for, and of which kind its value is; an unknown name is an error."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from tenure.golang.sense import is_object, look_through
from tenure.golang.syntax import Atom, Function, Litmus, Location, Reference, Statement, atoms, walk
from tenure.golang.tokens import LitmusError, Place

__all__ = ["HEAP", "KINDS", "Key", "Names", "resolve"]

#: A variable (its scope, its name), or a field (no scope, ``.name``): every object's field of that name is of one kind.
Key = tuple[str, str]

HEAP: Final = "heap"

#: What a step makes, and what kind of value its first location must have.
_MAKES: Final = {
    "new": "object", "malloc": "native", "open": "descriptor", "weak": "weak", "strong": "object",
    "cleanup": "cleanup", "lookup": "native",
    "address": "address", "pointer": "object",
}  # fmt: skip
_NEEDS: Final = {
    "weak": "object", "strong": "weak", "cleanup": "object", "finalizer": "object", "stop": "cleanup",
    "use": "native", "free": "native", "read": "descriptor", "close": "descriptor", "register": "object",
    "unregister": "object", "lookup": "object", "pool": "object", "pin": "object", "address": "object",
    "pointer": "address", "once": "once",
}  # fmt: skip
#: The kinds of values; a variable or a field is always of one.
KINDS: Final = ("object", "weak", "cleanup", "native", "descriptor", "address", "once")

_OBSERVABLE: Final = ("events", "order")


@dataclass
class Names:
    """The names of a test, each list in the order in which the test first says them."""

    objects: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    locks: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    variables: dict[str, list[str]] = field(default_factory=dict)  #: of each thread and function, without the globals
    kinds: dict[Key, str] = field(default_factory=dict)
    special: dict[str, str] = field(default_factory=dict)  #: objects which are ``static`` or ``zero``
    made: dict[str, list[str]] = field(default_factory=dict)  #: the objects and blocks that each scope makes

    def kind(self, key: Key) -> str:
        """One of `KINDS`; what is only ever nil is an object."""
        return self.kinds.get(key, "object")


def resolve(test: Litmus) -> Names:
    """The names of ``test``; raises `LitmusError` for the first that is unknown, doubled, or used as what it is not."""
    return _Resolver(test).names


def _add(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)


class _Resolver:
    def __init__(self, test: Litmus) -> None:
        self._test = test
        self.names = Names()
        self._functions = {function.name: function for function in test.functions}
        self._same: list[tuple[Key, Key, Place]] = []
        self._raised: set[str] = set()
        self._uses: list[tuple[Key, str, Place]] = []
        look_through(test)
        self._collect()
        for statement in walk(test.heap):
            self._step(HEAP, statement)
        for part in test.parts:
            for statement in walk(part.body):
                self._step(part.name, statement)
        self._settle_kinds()
        self._onces()
        self._flags()
        for atom in atoms(test.question.expression):
            self._atom(atom)
        self._observe()

    def _fail(self, message: str, place: Place) -> NoReturn:
        raise LitmusError(message, place, self._test.origin)

    def _unknown(self, what: str, name: str, known: Iterable[str], place: Place) -> NoReturn:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, 1)
        hint = f"did you mean '{close[0]}'?" if close else f"there is {', '.join(names) or 'none'}"
        self._fail(f"no {what} is called '{name}': {hint}", place)

    # -- names that are made by being said

    def _collect(self) -> None:
        names, test = self.names, self._test
        for part in test.parts:
            names.variables[part.name] = []
        for function in test.functions:
            for name in (*((function.parameter,) if function.parameter else ()), *function.captures):
                self._variable(function.name, name, function.place)
        for statement in walk(test.heap):
            self._collect_step(HEAP, statement)
        for part in test.parts:
            for statement in walk(part.body):
                self._collect_step(part.name, statement)
        for function in test.functions:
            _add(names.labels, function.name)

    def _variable(self, scope: str, name: str, place: Place) -> None:
        if is_object(name):
            self._fail(f"'{name}' is an object's name; a variable begins with a small letter", place)
        if name not in self._test.globals:
            _add(self.names.variables[scope], name)

    def _collect_step(self, scope: str, statement: Statement) -> None:
        names, target = self.names, statement.target
        captures = statement.function.captures if statement.function else ()
        for location in (*statement.locations, *captures, *((target,) if target else ())):
            if scope == HEAP and is_object(location.name):
                _add(names.objects, location.name)
            if location.field and not (scope == HEAP and location.name in names.variables):
                _add(names.fields, location.field)
        if statement.verb in ("object", "static", "zero"):
            self._object(statement.name, statement.place)
        if statement.verb in ("static", "zero"):
            names.special[statement.name] = statement.verb
        lists = {"malloc": names.blocks, "open": names.files, "lock": names.locks, "unlock": names.locks}
        lists |= {"wait": names.flags, "raise": names.flags, "say": names.labels}
        if statement.verb in lists:
            _add(lists[statement.verb], statement.name)
        if statement.verb == "new":
            self._object(statement.name, statement.place)
        if statement.verb in ("new", "malloc"):
            made = names.made.setdefault(scope, [])
            if any(statement.name in there for there in names.made.values()):
                self._fail(f"'{statement.name}' is already made elsewhere; give each its own name", statement.place)
            made.append(statement.name)
        if statement.verb == "raise":
            self._raised.add(statement.name)
        self._declare(scope, target)

    def _declare(self, scope: str, target: Location | None) -> None:
        if target is None:
            return
        if scope == HEAP and target.field and target.name in self.names.variables:
            if target.name not in {thread.name for thread in self._test.threads}:
                self._fail(
                    f"'{target.name}' is a function; only a thread's variables can be set in the heap", target.place
                )
            self._variable(target.name, target.field, target.place)
        elif scope != HEAP and not target.field:
            self._variable(scope, target.name, target.place)

    def _object(self, name: str, place: Place) -> None:
        if not is_object(name):
            self._fail(f"'{name}' should be an object's name, with a capital letter", place)
        _add(self.names.objects, name)

    # -- what a location is

    def key(self, scope: str, location: Location) -> Key:
        """What ``location`` says in ``scope``, after a look whether it can be said there."""
        if scope == HEAP and location.field and location.name in self.names.variables:
            return location.name, location.field
        base = self._base(scope, location)
        if not location.field:
            return base
        self._same.append((base, ("", "an object"), location.place))
        return "", "." + location.field

    def _base(self, scope: str, location: Location) -> Key:
        name, here = location.name, self.names.variables.get(scope, [])
        if name in self._test.globals:
            return "", name
        if scope == HEAP:
            if not is_object(name):
                self._unknown(
                    "object, global or thread", name, [*self._test.globals, *self.names.objects], location.place
                )
            return "", "an object"
        if is_object(name):
            self._fail(
                f"'{name}' is an object's name; outside the heap an object is reached by a variable", location.place
            )
        if name not in here:
            self._unknown(f"variable of '{scope}'", name, [*here, *self._test.globals], location.place)
        return scope, name

    # -- steps

    def _step(self, scope: str, statement: Statement) -> None:
        keys = [self.key(scope, location) for location in statement.locations]
        target = self.key(scope, statement.target) if statement.target else None
        verb = statement.verb
        if verb in _NEEDS:
            self._is(keys[0], _NEEDS[verb], statement.locations[0].place)
        if verb == "register":
            self._is(keys[1], "native", statement.locations[1].place)
        if verb in ("if", "unless") and len(keys) == 2:
            self._same.append((keys[0], keys[1], statement.place))
        if target and verb in _MAKES:
            self._is(target, _MAKES[verb], statement.place)
        if target and verb == "copy":
            self._same.append((target, keys[0], statement.place))
        if statement.function and statement.function.name:
            self._call(scope, statement, statement.function, keys)
        self._uses += [
            (key, verb, location.place)
            for key, location in zip([*keys, target], [*statement.locations, statement.target], strict=True)
            if key and location
        ]

    def _call(self, scope: str, statement: Statement, reference: Reference, keys: list[Key]) -> None:
        function = self._functions.get(reference.name)
        if function is None:
            self._unknown("function", reference.name, self._functions, reference.place)
        self._captures(scope, function, reference)
        argument = keys[0] if statement.verb == "finalizer" else keys[1] if len(keys) > 1 else None
        if argument is None and function.parameter:
            self._fail(
                f"'{function.name}' takes '{function.parameter}', but the cleanup has no argument", reference.place
            )
        if argument and function.parameter:
            self._same.append((self._here(function.name, function.parameter), argument, statement.place))

    def _captures(self, scope: str, function: Function, reference: Reference) -> None:
        expected, found = len(function.captures), len(reference.captures)
        if expected != found:
            self._fail(f"'{function.name}' captures {expected}, but is given {found}", reference.place)
        for name, location in zip(function.captures, reference.captures, strict=True):
            self._same.append((self._here(function.name, name), self.key(scope, location), location.place))

    def _here(self, scope: str, name: str) -> Key:
        return scope, name

    # -- kinds

    def _is(self, key: Key, kind: str, place: Place) -> None:
        self._same.append((key, ("", self._article(kind)), place))

    def _settle_kinds(self) -> None:
        kinds = self.names.kinds
        for kind in KINDS:
            kinds["", self._article(kind)] = kind
        changed = True
        while changed:
            changed = False
            for one, other, place in self._same:
                a, b = kinds.get(one), kinds.get(other)
                if a and b and a != b:
                    word = next((key[1].lstrip(".") for key in (one, other) if " " not in key[1]), "this")
                    self._fail(f"'{word}' is {self._article(a)} here and {self._article(b)} elsewhere", place)
                if (a is None) != (b is None):
                    kinds[one] = kinds[other] = a or b or ""
                    changed = True

    def _onces(self) -> None:
        for key, verb, place in self._uses:
            if self.names.kind(key) == "once" and verb != "once":
                self._fail(f"'{key[1].lstrip('.')}' is a once: only 'once' can use it", place)

    @staticmethod
    def _article(kind: str) -> str:
        return ("an " if kind[0] in "aeiou" else "a ") + kind

    # -- flags, the question, what is observed

    def _flags(self) -> None:
        for statement in self._test.statements():
            if statement.verb == "wait" and statement.name not in self._raised:
                self._unknown("flag that anybody raises", statement.name, self._raised, statement.place)

    def events(self) -> list[str]:
        """What can stand in the log: what is said, functions, and objects whose finalizer only tells their name."""
        return [*self.names.labels, *self.names.objects]

    def _atom(self, atom: Atom) -> None:
        if atom.kind in ("event", "before"):
            for name in (atom.name, atom.other) if atom.kind == "before" else (atom.name,):
                if name not in self.events():
                    self._unknown("event", name, self.events(), atom.place)
        elif atom.kind == "freed":
            if atom.name not in self.names.objects:
                self._unknown("object", atom.name, self.names.objects, atom.place)
        elif atom.kind == "variable":
            self._variable_atom(atom)

    def _variable_atom(self, atom: Atom) -> None:
        if atom.name not in self._test.globals:
            self._unknown("global", atom.name, self._test.globals, atom.place)
        values = [*self.names.objects, *self.names.blocks, *self.names.files, "nil", "weak", "cleanup"]
        if atom.other not in values:
            self._unknown("object", atom.other, values, atom.place)

    def _observe(self) -> None:
        known = [*_OBSERVABLE, *self._test.globals, *self.names.objects]
        for at, name in enumerate(self._test.observe):
            if name not in known:
                place = self._test.places.get(f"observe {at}", self._test.threads[-1].place)
                self._unknown("event list, global or object to observe", name, known, place)
