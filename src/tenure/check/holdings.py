"""What an object holds already when one of its methods begins: opened by another method, closed by this one."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from tenure.check.enacting import Enacting
from tenure.check.modules import Function
from tenure.check.openers import CLOSER_NAMES, TYPED_METHODS
from tenure.check.opening import Argument
from tenure.check.state import KEPT, SELF, Hold, Path, Value

__all__ = ["Holdings"]


class Holdings(Enacting):
    """Attributes of ``self``; the class as a whole tells what they hold."""

    own: dict[int, str]  #: what the class opened elsewhere -> the attribute of ``self`` that holds it

    def own_attribute(self, attribute: str, path: Path) -> Value:
        """``self.x`` where the class opens ``x`` elsewhere: of one kind, and somebody else's to close at the end."""
        owner = self.function.owner
        kind = self.summaries.classes.kind_of_attribute(owner, attribute) if owner is not None else ""
        if not kind or self.tables.kinds[kind].any_after:
            return None
        site = self.site(self.function.node, ("attribute", attribute), kind, f"self.{attribute}")
        site.variable = f"{self.self_name}.{attribute}"
        path.held[site.index] = Hold(note=KEPT)
        path.env[site.variable] = ("r", site.index)
        self.own[site.index] = attribute
        return ("r", site.index)

    def opener_of_attribute(self, attribute: str, method: str) -> str:
        """``socket.socket.accept`` for ``self.listener.accept`` where the class puts sockets only into ``listener``."""
        owner = self.function.owner
        kind = self.summaries.classes.kind_of_attribute(owner, attribute) if owner is not None else ""
        opener = f"{TYPED_METHODS.get(kind, '?')}.{method}"
        return opener if opener in self.tables.openers else ""

    def forget_own(self, path: Path, attributes: Iterable[str] | None = None) -> None:
        """Somebody may have bound them anew."""
        for index, attribute in self.own.items():
            name = self.sites[index].variable or ""
            if path.env.get(name) == ("r", index) and (attributes is None or attribute in attributes):
                path.put(name, None)

    def forget_what_changes(self, callee: Value, arguments: Sequence[Argument], path: Path) -> None:
        """A method of ours may bind an attribute anew, and so may whoever is given ``self``."""
        known = callee is not None and callee[0] == "fm" and callee[2] == SELF
        if known and callee is not None and self.function.owner is not None:
            classes, owner = self.summaries.classes, self.function.owner
            self.forget_own(path, [a for a in self.own.values() if callee[1].name in classes.binders(owner, a)])
        elif callee is None or callee[0] in ("a", "um") or any(argument.value == SELF for argument in arguments):
            self.forget_own(path)

    def close_own(self, function: Function, node: ast.Call, path: Path) -> None:
        """``self.close()`` closes what this path has stored in attributes that ``close`` closes."""
        owner = self.function.owner
        if owner is None:
            return
        for name, value in list(path.env.items()):
            first, _, attribute = name.partition(".")
            if not attribute or first != self.self_name or value is None or value[0] != "r":
                continue
            if self.summaries.classes.method_closes(owner, function.name, attribute) and value[1] not in self.own:
                self.release(path, value[1], node, function.name)
        ending = function.name in CLOSER_NAMES
        for attribute in self.summaries.classes.ends(owner, function.name) if ending else ():
            held = path.env.get(f"{self.self_name}.{attribute}") or self.own_attribute(attribute, path)
            if held is not None and held[0] == "r" and held[1] in self.own:
                self.release(path, held[1], node, function.name, strict=False)
