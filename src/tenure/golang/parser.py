"""Reads a litmus test: text in, `Litmus` out, or an error that says where, what was expected and what was found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tenure.golang.reader import Reader
from tenure.golang.rules import RULES, between
from tenure.golang.syntax import (
    BLOCKS,
    ENDS,
    MAKERS,
    VERBS,
    Atom,
    Both,
    Either,
    Expression,
    Function,
    Litmus,
    Location,
    Not,
    Question,
    Reference,
    Statement,
    Thread,
)
from tenure.golang.tokens import LitmusError, Place, Token, tokens

__all__ = ["parse"]

#: No question has more parts.
_MOST_PARTS: Final = 100

_QUANTIFIERS: Final = ("exists", "forbidden", "always")
_AFTER_THREADS: Final = (*_QUANTIFIERS, "observe")
_WORDS: Final = frozenset({"nil", *VERBS, *MAKERS, *BLOCKS, "else"})


def parse(text: str, origin: str = "") -> Litmus:
    """The litmus test that ``text`` is; ``origin`` (a file's name, say) stands in front of every error."""
    return _Parser(tokens(text, origin), origin).test(text)


class _Parser(Reader):
    """Reads each part of a test, from the head to the question."""

    _parts = 0  #: of the question, so far

    # -- the test and its head

    def test(self, text: str) -> Litmus:
        if not self._accept("litmus"):
            raise self._fail("'litmus' and the test's name")
        parts: dict[str, Any] = {
            "name": self._word("the test's name"),
            "origin": self._origin,
            "functions": (),
            "places": {},
        }
        self._end_of_line()
        parts["sentence"] = self._kind("string", "a sentence in quotes that says what the test shows")
        self._end_of_line()
        while not self._is("threads"):
            self._part(parts)
        parts["threads"] = self._threads()
        if self._accept("observe"):
            parts["observe"] = self._names(parts, "observe")
            self._end_of_line()
        parts["question"] = self._question(text)
        self._lines()
        if self._next.kind != "end":
            raise self._fail("the end of the test")
        return Litmus(**parts)

    def _part(self, parts: dict[str, Any]) -> None:
        readers: dict[str, Callable[[], Any]] = {
            "authority": lambda: self._kind("string", "the authority in quotes"),
            "rules": self._rules,
            "procs": lambda: self._number("how many processors", 1, 64),
            "global": lambda: self._names(parts, "global"),
            "heap": lambda: self._braces("the heap"),
        }
        names = {"global": "globals"}
        token = self._next
        if token.kind == "name" and token.text in readers:
            key = names.get(token.text, token.text)
            if key in parts:
                raise LitmusError(f"'{token.text}' stands here a second time", token.place, self._origin)
            self._take()
            parts[key] = readers[token.text]()
        elif self._is("func"):
            parts["functions"] += (self._function(),)
        else:
            raise self._fail(f"one of {', '.join(readers)}, func or threads")
        self._end_of_line()

    def _names(self, parts: dict[str, Any], what: str) -> tuple[str, ...]:
        names: list[str] = []
        while not names or self._next.kind == "name":
            parts["places"][f"{what} {len(names)}"] = self._next.place
            names.append(self._word("a name"))
        return tuple(names)

    def _rules(self) -> tuple[str, str]:
        first = self._version(list(RULES))
        versions = [] if first == "described" else list(between(first, ""))
        return first, self._version(versions) if versions and self._accept("..") else ""

    def _version(self, known: list[str]) -> str:
        token = self._take()
        word = token.text
        if self._accept("."):
            word += "." + self._take().text
        if word not in known:
            found = token if word == token.text else f"'{word}'"
            raise LitmusError(f"expected one of {', '.join(known)}, found {found}", token.place, self._origin)
        return word

    def _function(self) -> Function:
        place = self._take().place
        name = self._name("the function's name")
        parameter, captures = "", list[str]()
        self._sign("(", " and the function's parameter")
        if not self._accept(")"):
            parameter = self._name("the parameter's name or ')'")
            self._sign(")")
        if self._accept("["):
            while not self._accept("]"):
                captures.append(self._name("a captured variable's name or ']'"))
        return Function(name, parameter, tuple(captures), self._braces("the function's body"), place)

    def _name(self, expected: str) -> str:
        if self._next.text in _WORDS:
            raise self._fail(f"{expected} (which is not a word of the language)")
        return self._word(expected)

    # -- threads in columns

    def _threads(self) -> tuple[Thread, ...]:
        self._take()
        heads = [self._next]
        self._name("a thread's name")
        while self._accept("|"):
            heads.append(self._next)
            self._name("a thread's name")
        self._end_of_line()
        columns: list[list[Token]] = [[] for _ in heads]
        while not self._is(*_AFTER_THREADS) and self._next.kind != "end":
            self._one_row(columns)
        end = Token("end", "", self._next.place)
        return tuple(
            Thread(head.text, _Parser([*column, end], self._origin)._column(), head.place)
            for head, column in zip(heads, columns, strict=True)
        )

    def _one_row(self, columns: list[list[Token]]) -> None:
        index = 0
        while (token := self._take()).kind not in ("line", "end"):
            if token.text == "|" and token.kind == "sign":
                index += 1
                if index == len(columns):
                    many = f"{len(columns)} thread{'s' * (len(columns) > 1)}"
                    raise LitmusError(f"a column too many: the test has {many}", token.place, self._origin)
            else:
                columns[index].append(token)
        for column in columns:
            column.append(token if token.kind == "line" else Token("line", "", token.place))

    def _column(self) -> tuple[Statement, ...]:
        body = self._statements()
        if self._next.kind != "end":
            raise self._fail("a step")
        return body

    # -- steps

    def _braces(self, what: str) -> tuple[Statement, ...]:
        self._sign("{", f" and {what}")
        with self._inside():
            body = self._statements()
        self._sign("}", f" at the end of {what}")
        return body

    def _statements(self) -> tuple[Statement, ...]:
        found: list[Statement] = []
        while True:
            while self._next.kind == "line" or self._is(";"):
                self._at += 1
            if self._next.kind == "end" or self._is("}"):
                return tuple(found)
            found.append(self._statement())
            if not (self._next.kind in ("line", "end") or self._is(";", "}")):
                raise self._fail("';' or the end of the line")

    def _statement(self) -> Statement:
        token = self._next
        if token.kind != "name":
            raise self._fail("a step")
        following = self._row[min(self._at + 1, len(self._row) - 1)]
        if following.kind == "sign" and following.text in ("=", "."):
            return self._assignment()
        if token.text in BLOCKS:
            return self._block()
        if token.text in VERBS:
            self._at += 1
            return self._operands(token.text, VERBS[token.text], token.place, None)
        raise self._fail("a step")

    def _assignment(self) -> Statement:
        target = self._location("a variable")
        self._sign("=")
        token = self._next
        if token.kind == "name" and token.text in MAKERS:
            self._at += 1
            return self._operands(token.text, MAKERS[token.text], target.place, target)
        if self._accept("nil"):
            return Statement("nil", target, place=target.place)
        source = self._location("nil, a variable, or one of " + ", ".join(MAKERS))
        return Statement("copy", target, (source,), place=target.place)

    def _operands(self, verb: str, shape: str, place: Place, target: Location | None) -> Statement:
        parts: dict[str, Any] = {"locations": (), "number": -1}
        for letter in shape:
            if letter == "L" or (letter == "l" and self._next.kind == "name") or (letter == "e" and self._accept("=")):
                parts["locations"] += (self._location("a variable or a field"),)
            elif letter == "V":
                parts["locations"] += (Location(self._name("a variable"), "", self._row[self._at - 1].place),)
            elif letter in "Ff":
                parts["function"] = self._reference(letter == "F")
            elif letter == "W":
                parts["name"] = self._name("a name")
            elif letter == "n" and self._next.kind == "number":
                parts["number"] = self._number("a number", 0, 255)
        return Statement(verb, target, place=place, **parts)

    def _location(self, expected: str) -> Location:
        place = self._next.place
        name = self._name(expected)
        return Location(name, self._name("a field's name") if self._accept(".") else "", place)

    def _reference(self, optional: bool) -> Reference | None:
        """A function with its captures; ``finalizer A`` alone has one that only tells its object's name."""
        place = self._next.place
        if optional and (self._next.kind in ("line", "end") or self._is(";", "}")):
            return Reference("", place=place)
        if optional and self._accept("nil"):
            return None
        name = self._name("a function's name" + (" or nil" if optional else ""))
        captures: list[Location] = []
        if self._accept("["):
            while not self._accept("]"):
                captures.append(self._location("a variable to capture or ']'"))
        return Reference(name, tuple(captures), place)

    def _block(self) -> Statement:
        token = self._take()
        statement = self._operands(token.text, BLOCKS[token.text], token.place, None)
        body = self._braces(f"what '{token.text}' holds")
        orelse = self._braces("what 'else' holds") if token.text in ("if", "unless") and self._accept("else") else ()
        return Statement(token.text, None, statement.locations, body=body, orelse=orelse, place=token.place)

    # -- the question

    def _question(self, text: str) -> Question:
        if not self._is(*_QUANTIFIERS):
            raise self._fail(f"the question: one of {', '.join(_QUANTIFIERS)}")
        quantifier = self._take().text
        first = self._next.place
        expression = self._either()
        lines = text.split("\n")[first.line - 1 : self._row[self._at - 1].place.line]
        if lines:
            lines[0] = lines[0][first.column - 1 :]
        words = " ".join(line.partition("//")[0].strip() for line in lines).strip()
        return Question(quantifier, expression, words)

    def _more(self, word: str) -> bool:
        """Whether ``word`` comes next, perhaps on the next line."""
        at = self._at
        self._lines()
        if self._accept(word):
            self._lines()
            return True
        self._at = at
        return False

    def _either(self) -> Expression:
        left = self._both()
        while self._more("or"):
            left = Either(left, self._both())
        return left

    def _both(self) -> Expression:
        left = self._one()
        while self._more("and"):
            left = Both(left, self._one())
        return left

    def _one(self) -> Expression:
        with self._inside():
            if self._accept("not"):
                return Not(self._one())
            if self._accept("("):
                inner = self._either()
                self._sign(")")
                return inner
            return self._atom()

    def _atom(self) -> Expression:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise self._fail(f"a question of no more than {_MOST_PARTS} parts")
        place = self._next.place
        word = self._word("an event, a variable, 'freed', 'not', '(' or one of " + ", ".join(ENDS))
        if word == "freed":
            return Atom("freed", self._word("an object's name"), cycle=self._cycle(), place=place)
        if word in ENDS:
            return Atom(word, place=place)
        if self._is("=", "!="):
            equal = self._take().text == "="
            atom = Atom("variable", word, self._word("an object's name or nil"), place=place)
            return atom if equal else Not(atom)
        if self._accept("before"):
            return Atom("before", word, self._word("an event"), place=place)
        if self._accept("times"):
            return Atom("event", word, times=self._number("how many times", 0, 9999), place=place)
        return Atom("event", word, cycle=self._cycle(), place=place)

    def _cycle(self) -> int | None:
        return self._number("a cycle's number", 0, 9999) if self._accept("@") else None
