"""A hazard: a program that breaks when one line is taken out, and what is seen of it either way."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["BUILDS", "HAZARDS", "VICTIMS", "Hazard", "Outcome", "marked"]

VICTIMS: Final = Path(__file__).parent / "victims"

#: How the C library is built, and what is set while a victim uses it.
BUILDS: Final[dict[str, tuple[list[str], dict[str, str]]]] = {
    "guard": ([], {}),
    "malloc": (["-DHZ_MALLOC"], {"MALLOC_PERTURB_": "165"}),
    "asan": (
        ["-DHZ_MALLOC", "-fsanitize=address", "-fno-omit-frame-pointer"],
        {"ASAN_OPTIONS": "detect_leaks=0:handle_segv=0:handle_abort=0"},
    ),
}


class Outcome(NamedTuple):
    """What became of a victim."""

    status: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """All there is to see: the signal that ended it, what it printed, what was reported."""
        ended = signal.Signals(-self.status).name if self.status < 0 else f"exit {self.status}"
        return f"{ended}\n{self.out}\n{self.err}"

    @property
    def books(self) -> tuple[int, int]:
        """What the library opened and closed in all."""
        found = re.search(r"hz: opened (\d+), closed (\d+)", self.err)
        assert found, f"the library wrote no books:\n{self.told}"
        return int(found[1]), int(found[2])


class Hazard(NamedTuple):
    """One victim, and what is seen of it."""

    module: str
    function: str
    says: str  #: protected, it prints this
    bare: dict[str, str]  #: bare, this is seen, by build
    more: tuple[str, ...] = ()
    reports: str = ""  #: protected, this is reported; {line} is the marked line
    balanced: bool = True  #: protected, the library closed what it opened

    @property
    def name(self) -> str:
        return "-".join((self.module, self.function, *self.more))


def marked(module: str, mark: str = "# the line") -> str:
    """``file:line`` of the line of a victim that carries ``mark``, as reports name it."""
    file = VICTIMS / f"{module}.py"
    lines = file.read_text("utf-8").splitlines()
    (number,) = (number for number, line in enumerate(lines, 1) if line.endswith(mark))
    return rf"{file.name}:{number} in \w+"


_ASAN: Final = "AddressSanitizer: heap-use-after-free"
_LEAK: Final = r"AbandonedHandle: \S+ handle 0x\w+ was never closed\. Opened at .*{line}"
_DIES: Final = {"guard": "SIGSEGV", "asan": _ASAN}

#: Every hazard.
HAZARDS: Final[tuple[Hazard, ...]] = (
    Hazard("close_in_flight", "call", r"after close: CLOSING\n.*at the end: CLOSED", _DIES),
    Hazard("close_in_flight", "descriptor", "read mine", {"guard": "read SECRET"}),
    Hazard(
        "resurrection",
        "use_after",
        r"refused: hz_close handle.* is closed\. Opened at .*resurrection\.py:\d+ in __init__",
        _DIES,
        reports=_LEAK + r"(.|\n)*ResurrectedHandle: .*is held again by .*ring",
    ),
    Hazard("resurrection", "second_life", "live 0", {"guard": "live 1"}, reports="AbandonedHandle: hz_close handle"),
    *(
        Hazard(
            "captured_owner",
            "dropped",
            r"refused: .*would keep .*alive for ever: it reaches it by .*\n(.|\n)*live 0",
            {"guard": "live 100"},
            more=(how,),
            reports=_LEAK,
        )
        for how in ("bound", "lambda", "partial")
    ),
    Hazard("deadlock", "pool", "finished", {"guard": "exit 3\nwaits for itself"}, reports=_LEAK),
    Hazard("deadlock", "priorities", "finished", {"guard": "exit 3\nwaits for itself"}, reports=_LEAK),
    Hazard("order", "cycle", "collected", _DIES, reports="AbandonedHandle: parent(.|\n)*AbandonedHandle: child"),
    Hazard("order", "temporary", "read 65", _DIES, reports="AbandonedHandle: parent"),
    Hazard("order", "explicit", "closed CLOSED CLOSED", _DIES),
    Hazard("shutdown", "torn_down", "", {"guard": "Exception ignored.*\n(.|\n)*NoneType"}, reports="{line}"),
    Hazard(
        "shutdown",
        "in_use",
        "",
        _DIES,
        reports=r"OpenAtExit: hz_close handle .*in_use\. It is in use, and not released",
        balanced=False,
    ),
    Hazard("shutdown", "never_finalized", "", {"guard": "opened 1, closed 0"}, reports="OpenAtExit"),
    Hazard("forked", "session", "ping 80", {"guard": "ping -"}),
    Hazard("forked", "folder", "still there True", {"guard": "still there False"}, balanced=False),
    Hazard("forked", "busy_neighbour", "child 0", {"guard": "child 2"}),
    Hazard("outliving_view", "view", r"b'ABCD' 1\nlive 0", _DIES),
    Hazard("outliving_view", "array", r"\d+\nlive 0", {"guard": "SIGSEGV"}),
    Hazard("outliving_view", "temporary", "b'ABCD'", _DIES, reports="AbandonedHandle"),
    Hazard("outliving_view", "mapped", r"b'\\x00'\nCLOSED", {"guard": "SIGSEGV"}),
    Hazard("outliving_view", "cffi_pointer", "65", _DIES, more=("{path}",)),
    Hazard("outliving_view", "cffi_buffer", "b'ABCD'", _DIES, more=("{path}",)),
    Hazard("outliving_view", "cffi_field", "True", {"malloc": "False", "asan": _ASAN}),
    Hazard("failed_constructor", "half_way", "live 0", {"guard": "live 100"}, more=("plain",)),
    Hazard("failed_constructor", "half_way", "live 0", {"guard": "live 100"}, more=("with",)),
    Hazard("failed_constructor", "in_the_factory", "live 0", {"guard": "live 100"}, reports=_LEAK),
    Hazard("cancelled", "in_a_thread", "live 0", {"guard": "live 3"}, reports="AbandonedHandle: hz_close handle"),
    Hazard("cancelled", "in_a_thread_waited_for", "live right after 1", {"guard": "live 3"}),
    Hazard("cancelled", "before_the_block", "live 0", {"guard": "live 3"}, reports="AbandonedHandle: hz_close handle"),
    Hazard("cancelled", "half_read", "live right after 0", {"guard": "live right after 1"}),
    Hazard("double_close", "race", "survived", {"guard": "SIGSEGV|SIGABRT", "malloc": "SIGABRT"}),
    Hazard("double_close", "alias", "refused: hz_close handle .*already has an owner", _DIES),
    Hazard("double_close", "copied", "refused: .*cannot be copied or pickled", _DIES),
    Hazard("wrong_thread", "identity", "at home True", {"guard": "at home False"}, reports="AbandonedHandle"),
    Hazard("wrong_thread", "database", "drained", {"guard": "ProgrammingError"}, reports="AbandonedHandle"),
)
