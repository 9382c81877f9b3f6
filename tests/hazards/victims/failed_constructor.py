"""A constructor fails half-way, and what it had got is lost."""

from __future__ import annotations

import contextlib
from typing import Any

import tenure


def half_way(lib: Any, protected: bool, how: str) -> None:
    """Protected by the scope, which closes what it owns unless everything came about."""

    def opened(scope: tenure.Scope) -> Any:
        return scope.open(lib.hz_open, 16, release=lib.hz_close) if protected else lib.hz_open(16)

    class Two:
        def __init__(self) -> None:
            with tenure.Scope() as scope:
                self.first = opened(scope)
                refuse()
                self.second = opened(scope)
                self.scope = scope.pop_all()

        def close(self) -> None:
            self.scope.close()

    def refuse() -> None:
        raise OSError("the second is refused")

    for _ in range(100):
        with contextlib.suppress(OSError):
            if how == "with":
                with contextlib.closing(Two()):
                    pass
            else:
                Two()
    print("live", lib.hz_live())


def in_the_factory(lib: Any, protected: bool) -> None:
    """Protected by ``open``: a subclass that fails after its token was acquired is released by the net."""

    class Checked(tenure.Handle[int]):
        def __init__(self) -> None:
            super().__init__(lib.hz_open, 16, release=lib.hz_close)  # the line
            raise OSError("the greeting is wrong")

    class Bare:
        def __init__(self) -> None:
            self.token = lib.hz_open(16)
            raise OSError("the greeting is wrong")

    for _ in range(100):
        with contextlib.suppress(OSError):
            Checked() if protected else Bare()
    tenure.drain()
    print("live", lib.hz_live())
