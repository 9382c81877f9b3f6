"""Whether a condition holds on a path, as far as anybody can tell; where nobody can, both answers are followed."""

from __future__ import annotations

import ast
from typing import Any, Final

from tenure.check.binding import Binding
from tenure.check.modules import dotted_text
from tenure.check.questions import Questions, words_in
from tenure.check.state import KEPT, NONE, Path, Value
from tenure.lifecycle import Event

__all__ = ["Conditions"]

_NOT_NONE: Final = frozenset({"r", "t", "c", "w", "self", "m", "f", "d", "o", "fn", "h"})


class Conditions(Binding):
    """Answers; ``truth`` is the only door."""

    questions: Questions

    def truth(self, node: ast.expr, path: Path) -> bool:
        """Whether a condition holds on this path; where nobody can tell, both are followed."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return not self.truth(node.operand, path)
        if isinstance(node, ast.BoolOp):
            stops_at = isinstance(node.op, ast.Or)
            return stops_at if any(self.truth(v, path) == stops_at for v in node.values) else not stops_at
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self.compared(node, path)
        key, positive = self.question(node)
        if key in path.facts:
            return path.facts[key] == positive
        known = self.known_truth(node, self.ev(node, path), path)
        if known is None:
            return self.guess(node, path)
        if key:
            path.facts[key] = known == positive
        return known

    def known_truth(self, node: ast.expr, value: Value, path: Path) -> bool | None:
        """Whether a value is known to be true; what is known not to be None is taken for true."""
        if value is None or (value[0] == "r" and self.sites[value[1]].borrowed):
            return True if path.facts.get(f"{dotted_text(node)} is None") is False else None
        if value[0] == "p":
            return True if value[2] in self.sites[value[1]].pipes else None
        if value[0] == "k":
            return bool(value[1])
        if value[0] == "m" and value[2] in ("closed", "is_closed"):
            hold = path.held.get(value[1])
            return hold.released if hold is not None and not self.sites[value[1]].borrowed else None
        return True if value[0] in ("r", "o", "fn", "f", "h") or (value[0] == "c" and value[1]) else None

    def compared(self, node: ast.Compare, path: Path) -> bool:
        left, right = self.ev(node.left, path), self.ev(node.comparators[0], path)
        if left is not None and left[0] == "r" and self.sites[left[1]].kind.plain and right != NONE:
            return self.compared_number(node, left[1], path)
        listed = words_in(node) if left is not None and left[0] == "k" else None
        if left is not None and listed is not None:
            return (left[1] in listed) == isinstance(node.ops[0], ast.In)
        equal = isinstance(node.ops[0], ast.Is | ast.Eq)
        unequal = isinstance(node.ops[0], ast.IsNot | ast.NotEq)
        if not (equal or unequal) or right is None:
            return self.guess(node, path)
        known = left is not None and (left[0] == "fn" or (left[0] == "r" and not self.sites[left[1]].borrowed))
        if right[0] == "fn" and known:
            return (left == right) == equal  # ``f is sys.stdin``
        if right[0] == "k":
            same = self.same(node.left, left, right, path)
            if same is not None:
                return same == equal
            guessed = self.guess(node, path)
            if guessed == equal and isinstance(node.left, ast.Name) and self.is_telling(node, node.left.id):
                path.env[node.left.id] = right
            return guessed
        return self.guess(node, path)

    def is_telling(self, node: ast.Compare, name: str) -> bool:
        """``x is None`` says what x is; ``x == "a"`` says it to whoever asks ``x in ("a", "b")`` later on."""
        return isinstance(node.ops[0], ast.Is | ast.IsNot) or name in self.questions.listed

    def compared_number(self, node: ast.Compare, index: int, path: Path) -> bool:
        """``if fd > 2: os.close(fd)``: what it may not close is a standard stream, or somebody else's number."""
        answer = self.guess(node, path)
        hold = path.held.get(index)
        if hold is not None and hold.open and answer == isinstance(node.ops[0], ast.Eq | ast.In | ast.Lt | ast.LtE):
            path.held[index] = hold.after(Event.DISOWN, KEPT)
        return answer

    def same(self, node: ast.expr, left: Value, right: tuple[Any, ...], path: Path) -> bool | None:
        if left is None or left[0] in ("um", "a"):
            return False if right == NONE and path.facts.get(dotted_text(node)) else None
        if left[0] == "k":
            return bool(left[1] == right[1])
        if left[0] == "r" and self.sites[left[1]].borrowed:
            return False if right == NONE and self.is_something(left, path) else None
        return False if right == NONE and left[0] in _NOT_NONE else None

    def is_something(self, value: Value, path: Path) -> bool:
        """``isinstance(x, T)``, ``hasattr(x, "read")``, ``is_file_like(x)`` were true of it: it is not ``None``."""
        names = [name for name, other in path.env.items() if other == value]
        asked = [fact for fact, answer in path.facts.items() if answer and fact.endswith(")")]
        return any(fact.partition("(")[2].startswith((f"{name})", f"{name},")) for fact in asked for name in names)

    def guess(self, node: ast.expr, path: Path) -> bool:
        """Follow both answers; the same question asked again on the same path gets the same answer."""
        key, positive = self.question(node)
        if key and key in path.facts:
            return path.facts[key] == positive
        answer = self.choices.choose(2) == 0
        if key:
            path.facts[key] = answer == positive
        return answer

    def question(self, node: ast.expr) -> tuple[str, bool]:
        """The text of a condition that is asked more than once (or rests on a parameter), and its sign."""
        text = self.questions.text(node)
        positive = " is not " not in text and "!=" not in text and " not in " not in text
        plain = text.replace(" is not ", " is ").replace("!=", "==").replace(" not in ", " in ")
        return (
            (plain, positive)
            if self.questions.asked.get(plain, 0) > 1 or plain in self.questions.about_parameters
            else ("", True)
        )
