"""What a call does with the resources it is given, and what it hands out."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, Final

from tenure.check.effects import HOLDS, Stop
from tenure.check.enacting import holder, shown, taken_by_name
from tenure.check.methods import Methods
from tenure.check.modules import Class, Function, dotted_text
from tenure.check.openers import (
    DERIVERS,
    FUNCTION_CLOSERS,
    OWNERSHIP_TAKERS,
    READERS,
    WRAPPERS,
    is_stdlib,
)
from tenure.check.opening import Argument
from tenure.check.reading import closes_to_raise
from tenure.check.risk import RAISED, never_returns, risk_of_name, risk_of_unknown
from tenure.check.state import SELF, Error, Path, Value, resources_in
from tenure.check.words import words

__all__ = ["Calls"]

_EXITS: Final = frozenset(
    ["sys.exit", "os._exit", "os.abort", "os.execv", "os.execve", "os.execvp", "os.execvpe", "os.execl"]
)
_EXIT_TYPES: Final = frozenset(["builtins.exit", "builtins.quit"])
_CONTAINERS: Final = frozenset(
    ["builtins.list", "builtins.dict", "builtins.set", "collections.deque", "builtins.tuple", "builtins.sorted"]
)
#: Calls that give back their second argument.
_HANDED_THROUGH: Final = frozenset({"typing.cast", "typing_extensions.cast", "cffi.FFI.cast"})
#: A descriptor or an address in another form is still the same one.
_SAME_NUMBER: Final = frozenset({"builtins.int", "ctypes.c_void_p", "ctypes.cast"})
#: Instead of a receiver: a constructor is called, of a class that owns nothing, of one that owns something.
_NEW: Final = ("new",)
_OWNER: Final = ("new", "owner")
#: Functions that show the memory of what they are given, and keep it alive.
_VIEWERS: Final = frozenset({"numpy.ndarray", "numpy.frombuffer"})
#: Functions that read a picture to its end, after which it has closed its file.
_IMAGE_READERS: Final = frozenset({"numpy.asarray", "numpy.array"})
#: Functions of C's library that keep nothing of what they are given; of any other nobody can tell.
_C_BORROWERS: Final = words(
    "memset memcpy memmove memcmp memchr strlen strnlen strcpy strncpy strcat strncat strcmp strncmp strchr strtol"
    " printf puts snprintf sprintf sscanf qsort bsearch read write pread pwrite lseek fstat ftruncate fsync ioctl fcntl"
    " flock mlock munlock mprotect madvise explicit_bzero bzero"
)
_LIBRARY: Final = "ctypes.CDLL."
#: What is told of a number, once it is closed, is no use of what it stood for.
_TALK: Final = ("builtins.", "logging.", "warnings.")
#: Calls that take from a generator all there is: ``sorted(entry.name for entry in os.scandir(path))``.
_CONSUMERS: Final = words("list tuple set frozenset dict sorted sum max min join extend update Counter deque fromkeys")
#: A local name that ends so stands for a class: what it makes may have what it is given.
_CLASSES: Final = ("cls", "class", "klass", "factory")
_WAIT_FOR: Final = ("fn", "asyncio.wait_for")


class Calls(Methods):
    """Calls; the evaluation of their parts is left to ``ev``."""

    is_context_manager: bool
    is_fixture: bool
    is_driven: bool

    def ev(self, node: ast.expr, path: Path) -> Value:
        raise NotImplementedError

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, path: Path) -> Value:
        raise NotImplementedError

    def exhausted(self, iterated: Value, path: Path, node: ast.AST) -> None:
        raise NotImplementedError

    def attribute(self, node: ast.Attribute, path: Path) -> Value:
        raise NotImplementedError

    def bind(self, target: ast.expr, value: Value, path: Path) -> None:
        raise NotImplementedError

    def call(self, node: ast.Call, path: Path) -> Value:
        callee = self.attribute(node.func, path) if isinstance(node.func, ast.Attribute) else self.ev(node.func, path)
        if callee is None and isinstance(node.func, ast.Name) and node.func.id == "super":
            return ("super",)
        before = path.copy() if callee == _WAIT_FOR else None
        arguments = self.arguments(node, path)
        if before is not None:  # what it waits for is cancelled half-way, perhaps before it has begun
            self.may_raise(before, 2, "builtins.TimeoutError", node, shown(node))
            if id(node) in self.awaited and arguments and isinstance(arguments[0].node, ast.Call):
                return arguments[0].value  # it has run where it stands
        if arguments and _called_by(node) in _CONSUMERS:
            self.consume(arguments[0].value, node, path)
        if self.own:
            self.forget_what_changes(callee, arguments, path)
        if callee is None:
            given = isinstance(node.func, ast.Name) and node.func.id in self.locals
            return self.call_unknown(_plain(node) if given else "?", node, arguments, path)
        handler = _CALLEES.get(callee[0])
        if handler is None:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else _plain(node)
            return self.call_unknown(name, node, arguments, path)
        return handler(self, callee, node, arguments, path)

    def arguments(self, node: ast.Call, path: Path) -> list[Argument]:
        given: list[Argument] = []
        for position, argument in enumerate(node.args):
            if isinstance(argument, ast.Starred) and isinstance(argument.value, ast.GeneratorExp):
                value = self.comprehension(argument.value, path)  # it is run to its end here and now
            else:
                value = self.ev(argument, path)
            if not isinstance(argument, ast.Starred):
                given.append(Argument(position, value, argument))
            elif value is not None and value[0] == "t" and position == len(node.args) - 1:
                given.extend(Argument(position + n, member, argument) for n, member in enumerate(value[1]))
            else:
                given.append(Argument("*", value, argument))
        for keyword in node.keywords:
            given.append(Argument(keyword.arg or "**", self.ev(keyword.value, path), keyword.value))
        for one in given:
            if one.value is not None and one.value[0] == "r":
                self.touch(path, one.value[1])
        return given

    def consume(self, value: Value, node: ast.Call, path: Path) -> None:
        """What is iterated over here is read to its end."""
        for index in resources_in(value) if value is not None and value[0] in ("r", "d") else ():
            self.exhausted(("r", index), path, node)

    def needs_open(self, cls: Class, method: str) -> bool:
        return self.summaries.classes.needs_open(cls, method)

    # -- functions known by name -----------------------------------------------------------------------------------

    def call_named(self, callee: tuple[Any, ...], node: ast.Call, arguments: Sequence[Argument], path: Path) -> Value:
        dotted = self.summaries.known_name(self.module, callee[1])
        if dotted in _EXITS or dotted in _EXIT_TYPES:
            raise Stop
        opener = self.tables.openers.get(dotted)
        if opener is not None:
            return self.acquire(opener, dotted, node, arguments, path)
        if dotted in FUNCTION_CLOSERS and dotted not in WRAPPERS:
            return self.close_by_function(dotted, node, arguments, path)
        if dotted in WRAPPERS:
            first = arguments[0].value if arguments else None
            return ("w", first[1]) if first is not None and first[0] == "r" else None
        found = None if is_stdlib(dotted) else self.project.find(self.module.root, dotted)
        if isinstance(found, Function):
            return self.call_function(("fm", found, None), node, arguments, path)
        if isinstance(found, Class):
            return self.instantiate(found, node, arguments, path)
        return self.call_foreign(dotted, node, arguments, path)

    def call_foreign(self, dotted: str, node: ast.Call, arguments: Sequence[Argument], path: Path) -> Value:
        """A function of the standard library or of somebody else's package."""
        level, kind = risk_of_name(dotted)
        if dotted == "os.write" and self.is_pipe(arguments[0].value if arguments else None):
            level = 1  # it takes a few bytes as long as somebody has the other end
        if dotted in _HANDED_THROUGH and len(arguments) > 1:
            return arguments[1].value
        if dotted in _SAME_NUMBER and arguments and arguments[0].key == 0:
            return arguments[0].value
        if dotted == "builtins.getattr":
            return _looked_up(arguments)
        many = _many(dotted, arguments)
        if many is not None:
            self.may_raise(path, level, kind, node, shown(node))
            return many
        held = frozenset(i for argument in arguments for i in resources_in(argument.value))
        last = dotted.rpartition(".")[2]
        if dotted in DERIVERS or (dotted.startswith("ctypes.") and last == "from_buffer"):
            self.use_arguments(dotted, node, arguments, path)
            self.may_raise(path, level, kind, node, shown(node))
            containers = all(a.value is None or a.value[0] in ("c", "t", "k") for a in arguments)
            return (("c" if containers else "d"), held) if held else None
        if dotted in _VIEWERS:
            self.use_arguments(dotted, node, arguments, path)
            return ("c", held) if held else None  # whoever has the array has the memory
        if dotted in _CONTAINERS:
            self.use_arguments(dotted, node, arguments, path)
            self.may_raise(path, level, kind, node, shown(node))
            return self.copied(arguments, held)
        if is_stdlib(dotted):
            self.use_arguments(dotted, node, arguments, path)
            if dotted.startswith(_LIBRARY):
                if last not in _C_BORROWERS:
                    self.keep_all(arguments, path)
            elif dotted in OWNERSHIP_TAKERS or (last[:1].isupper() and not dotted.startswith("winreg.")):
                self.keep_all(arguments, path)
        elif dotted in READERS:
            self.use_arguments(dotted, node, arguments, path)
        elif last[:1].isupper() or dotted in OWNERSHIP_TAKERS or self.functions_in(arguments):
            self.keep_all(arguments, path)
        elif dotted in _IMAGE_READERS:
            self.finish_images(node, held, path)
        self.may_raise(path, level, kind, node, shown(node))
        return ("o", _MADE.get(dotted, dotted)) if last[:1].isupper() or dotted in _MADE else None

    def is_pipe(self, value: Value) -> bool:
        return value is not None and value[0] == "r" and self.sites[value[1]].called.startswith("os.pipe")

    def finish_images(self, node: ast.Call, held: frozenset[int], path: Path) -> None:
        for index in held:
            if self.sites[index].kind_name == "image":
                self.release(path, index, node, "load")

    def use_arguments(self, dotted: str, node: ast.Call, arguments: Sequence[Argument], path: Path) -> None:
        """``os.read(fd, ...)`` uses a descriptor and ``json.load(f)`` a file, as a method uses an object."""
        for argument in arguments:
            if argument.value is not None and argument.value[0] == "d" and dotted in READERS:
                for index in argument.value[1]:
                    self.use(path, index, node, dotted)
            if argument.value is None or argument.value[0] != "r":
                continue
            plain = self.sites[argument.value[1]].kind.plain and not dotted.startswith(_TALK)
            if dotted in READERS or argument.key == "file" or plain:
                self.use(path, argument.value[1], node, dotted)

    def copied(self, arguments: Sequence[Argument], held: frozenset[int]) -> Value:
        """``list(x)`` of a list of resources holds them; of a reader it holds what was read."""
        first = arguments[0].value if arguments else None
        if first is None and arguments:
            return None
        return ("c", held if first is not None and first[0] in ("c", "t") else frozenset())

    def functions_in(self, arguments: Sequence[Argument]) -> bool:
        return any(a.value is not None and a.value[0] == "f" and a.value[1] for a in arguments)

    def close_by_function(self, dotted: str, node: ast.Call, arguments: Sequence[Argument], path: Path) -> Value:
        position, _ = FUNCTION_CLOSERS[dotted]
        for argument in arguments:
            if argument.key == position and argument.value is not None and argument.value[0] == "a":
                own = self.own_attribute(argument.value[1], path)
                argument = argument._replace(value=own) if own is not None else argument
            if argument.key == position:
                one = argument.value is not None and argument.value[0] == "r"  # a list's are closed one by one
                for index in resources_in(argument.value):
                    self.release(path, index, node, dotted, strict=one and dotted != "winreg.CloseKey")
        return None

    # -- functions of the project ----------------------------------------------------------------------------------

    def call_function(
        self, callee: tuple[Any, ...], node: ast.Call, arguments: Sequence[Argument], path: Path
    ) -> Value:
        _, function, receiver = callee
        self.built = None
        if isinstance(function.node, ast.AsyncFunctionDef) and not function.generator and id(node) not in self.awaited:
            self.entrust(function, receiver, arguments, path)
            return None
        fails_closed = receiver == SELF and closes_to_raise(function)
        if receiver == SELF and not fails_closed:
            self.close_own(function, node, path)
        if never_returns(function):
            self.may_raise(path, 2, "", node, shown(node))
            raise Stop
        holding = any(self.is_ours(a.value) for a in arguments)
        summary = self.summaries.of(function, holding or receiver == _OWNER)
        level, kind = self.summaries.risk(function)
        if receiver in (_NEW, _OWNER) and kind == RAISED:
            kind = ""  # what a constructor refuses it is seldom given
        if receiver == SELF and summary is None:
            path.env[HOLDS] = ("holds",)
        if summary is None:  # a generator, a decorated or an abstract function may keep what it gets
            self.keep_all(arguments, path)
            self.may_raise(path, level, kind, node, shown(node))
            return None
        bound = self.bindings(function, receiver, arguments)
        self.keep_all(taken_by_name(function, arguments), path)
        before = path.copy() if level else path
        if fails_closed and level:
            self.close_own(function, node, before)
        outcome = self.pick(summary.normal, bound, path)
        value = self.enact(outcome, bound, node, path, function) if outcome is not None else None
        if receiver == SELF and outcome is not None and outcome.holds:
            path.env[HOLDS] = ("holds",)
        if outcome is not None and self.may_pass_on(summary, bound):
            self.doubt_fresh(outcome, value)
        if receiver in (_NEW, _OWNER) and outcome is not None:
            self.built = self.building(summary, outcome, bound)
        if level:
            self.enact_called(bound, node, before, function)
            self.raise_outcomes(summary, bound, Error(kind, level), node, before, path, function.raises)
        return value

    def instantiate(self, cls: Class, node: ast.Call, arguments: Sequence[Argument], path: Path) -> Value:
        """``Class(...)``: what its ``__init__`` does with the arguments, and whether the object owns something."""
        init = self.project.method(cls, "__init__")
        owns = self.summaries.classes.owns(cls)
        later = self.left_later(path)
        self.adopted.clear()
        built = None
        if init is None:
            self.keep_all(arguments, path)
        else:
            self.call_function(("fm", init, _OWNER if owns else _NEW), node, arguments, path)
            built = self.built
        adopted = frozenset(self.adopted) - later
        holds = owns and (built is None or built.holds or not self.is_told(cls))
        if (holds or adopted) and not self.in_memory(arguments):
            site = self.site(node, 0, "closable", cls.qualname, cls)
            site.kind = self.summaries.classes.kind(cls)
            site.doubtful = holds and built is not None and built.holds and built.doubtful
            site.adopted = frozenset() if holds else adopted
            return self.open(path, site)
        return holder(built.attached if built is not None else frozenset(), cls.dotted)

    def is_told(self, cls: Class) -> bool:
        """Whether what the constructor does is all there is to what an object of the class holds."""
        classes = self.summaries.classes
        return classes.told_by_init(cls) and not classes.opens_as(cls)

    # -- what cannot be seen ---------------------------------------------------------------------------------------

    def call_method(self, callee: tuple[Any, ...], node: ast.Call, arguments: Sequence[Argument], path: Path) -> Value:
        if callee[1] == "get" and isinstance(node.func, ast.Attribute):
            opener = self.opener_among(node.func.value, arguments[1:])
            if opener is not None:
                return opener
        factory = self.summaries.overview.only_factory(callee[1], self.module)
        if factory is not None:
            return self.call_function(("fm", factory, ("any",)), node, arguments, path)
        return self.call_unknown(callee[1], node, arguments, path)

    def call_closure(self, callee: tuple[Any, ...], node: ast.Call, arguments: Sequence[Argument], path: Path) -> Value:
        self.keep_all(arguments, path)
        if callee[3]:
            self.keep(path, callee)
        self.may_raise(path, 2, "", node, shown(node))
        return None

    def call_made(self, callee: tuple[Any, ...], node: ast.Call, arguments: Sequence[Argument], path: Path) -> Value:
        return ("o", callee[1])

    def call_unknown(self, name: str, node: ast.Call, arguments: Sequence[Argument], path: Path) -> Value:
        accepted = self.accepts(name, node)
        if accepted:
            return self.acquire(self.tables.openers[accepted], accepted, node, arguments, path)
        level, kind = risk_of_unknown(name)
        self.hand_over(name, arguments, path)
        self.may_raise(path, level, kind, node, shown(node))
        return None


def _plain(node: ast.Call) -> str:
    """Nothing for a function that only its local name tells of; ``?`` for a class, and for ``table.get("name")(f)``."""
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    return "" if name and not name[:1].isupper() and not name.lower().endswith(_CLASSES) else "?"


def _called_by(node: ast.Call) -> str:
    """The last part of the name, whatever it is called upon."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else dotted_text(node.func)


def _many(dotted: str, arguments: Sequence[Argument]) -> Value:
    """``map(Path, names)``, ``folder.iterdir()``, and the same things sorted."""
    first = arguments[0].value if arguments else None
    if dotted in _LISTS_PATHS or (dotted == "builtins.map" and first == ("fn", "pathlib.Path")):
        return ("each", "pathlib.Path")
    return first if dotted in _KEEPS_TYPE and first is not None and first[0] == "each" else None


def _looked_up(arguments: Sequence[Argument]) -> Value:
    """``getattr(module, "name", ...)``."""
    base, name = [*(argument.value for argument in arguments[:2]), None, None][:2]
    if base is not None and base[0] == "fn" and name is not None and name[0] == "k":
        return ("fn", f"{base[1]}.{name[1]}")
    if base is not None and base[0] == "r" and name is not None and name[0] == "k" and len(arguments) == 2:
        return ("m", base[1], name[1])
    return None


_MADE: Final = {
    "pathlib.Path.cwd": "pathlib.Path",
    "pathlib.Path.home": "pathlib.Path",
    "ssl.create_default_context": "ssl.SSLContext",
    "ctypes.PyDLL": "ctypes.CDLL",
    "ctypes.cdll.LoadLibrary": "ctypes.CDLL",
    "cffi.FFI.dlopen": "ctypes.CDLL",
}

_LISTS_PATHS: Final = words("pathlib.Path.iterdir pathlib.Path.glob pathlib.Path.rglob")
_KEEPS_TYPE: Final = words("builtins.sorted builtins.list builtins.tuple builtins.set builtins.reversed builtins.iter")

_CALLEES: Final[dict[str, Callable[..., Value]]] = {
    "m": Calls.call_resource,
    "pm": Calls.call_pipe,
    "cm": Calls.call_container,
    "fn": Calls.call_named,
    "fm": Calls.call_function,
    "um": Calls.call_method,
    "a": Calls.call_method,
    "f": Calls.call_closure,
    "makes": Calls.call_made,
}
