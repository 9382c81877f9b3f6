"""A callback that reaches its owner is found at any depth, with the way; what a program keeps anyway is no capture."""

from __future__ import annotations

import ctypes
import functools
import gc
import os
import sys
import types
import weakref
from collections import deque
from collections.abc import Callable, Generator
from typing import Any

import pytest

from tenure.errors import CapturedOwner, UncheckedCapture
from tenure.runtime.captures import LIMIT, find, harmless, refuse, route


class Owner:
    """Whose end the callbacks wait for."""

    token: object = None

    def close(self) -> None: ...


class Slotted:
    __slots__ = ("__weakref__", "inner", "never_set")
    inner: object


def closes_over(self: object) -> Callable[[object], object]:
    return lambda token: (self, token)


def closes_over_closure(self: object) -> Callable[[object], object]:
    inner = closes_over(self)
    return lambda token: inner(token)


def with_default(owner: object) -> Callable[..., object]:
    def release(token: object, who: object = owner) -> None: ...

    return release


def with_keyword_default(owner: object) -> Callable[..., object]:
    def release(token: object, *, who: object = owner) -> None: ...

    return release


def with_attribute(owner: object) -> Callable[..., object]:
    def release(token: object) -> None: ...

    release.owner = owner  # type: ignore[attr-defined]
    return release


def in_slots(owner: object) -> Callable[..., object]:
    slotted = Slotted()
    slotted.inner = {"who": (1, deque([2, owner]))}
    return functools.partial(print, slotted)


def suspended(owner: object) -> Callable[..., object]:
    def rows() -> Generator[int, None, None]:
        held = owner
        yield 1
        yield id(held)

    generator = rows()
    next(generator)
    return generator.send


def foreign(owner: Owner) -> Callable[..., object]:
    return ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda token: owner.close())


CAPTURES: list[tuple[str, Callable[[Owner], Callable[..., object]], str]] = [
    ("bound method", lambda o: o.close, "release.__self__"),
    ("closure", closes_over, "release.__closure__[0] (self)"),
    (
        "closure of a closure",
        closes_over_closure,
        "release.__closure__[0] (inner).__closure__[0] (self)",
    ),
    ("default", with_default, "release.__defaults__[0] (who)"),
    ("keyword default", with_keyword_default, "release.__kwdefaults__['who']"),
    ("function attribute", with_attribute, "release.owner"),
    ("argument of a partial", lambda o: functools.partial(id, o), "release.args[0]"),
    ("keyword of a partial", lambda o: functools.partial(print, end=o), "release.keywords['end']"),
    ("function of a partial", lambda o: functools.partial(o.close), "release.func.__self__"),
    ("method of a builtin", lambda o: [1, o].append, "release.__self__[1]"),
    ("key of a dict", lambda o: {o: 1}.get, "release.__self__ (as a key)"),
    ("set", lambda o: {o}.add, "release.__self__ (an element)"),
    ("slots", in_slots, "release.args[0].inner['who'][1][1]"),
    ("generator", suspended, "release.__self__: local 'owner'"),
    ("itself", lambda o: types.MethodType(print, o), "release.__self__"),
]


@pytest.mark.parametrize(("make", "path"), [row[1:] for row in CAPTURES], ids=[row[0] for row in CAPTURES])
def test_a_capture_is_found_with_its_path(make: Callable[[Owner], Callable[..., object]], path: str) -> None:
    owner = Owner()
    callback = make(owner)
    found = find(callback, owner)
    if path.endswith("'owner'"):  # a free variable and a local hold it; either is a way
        assert found.path in (path, path.replace("owner", "held"))
    else:
        assert found.path == path
    assert not harmless(callback)


def test_an_attribute_of_an_argument_is_spelled_as_written() -> None:
    owner, row = Owner(), types.SimpleNamespace()
    row.owner = owner
    assert find(functools.partial(print, row), owner, "fn").path == "fn.args[0].owner"


def test_a_function_given_to_c_is_looked_into() -> None:
    owner = Owner()
    callback = foreign(owner)
    assert not harmless(callback)
    assert "(owner)" in (find(callback, owner).path or "")


def test_the_shortest_way_is_told() -> None:
    owner = Owner()
    deep = {"deeper": [owner]}
    assert find(functools.partial(print, deep, owner), owner).path == "release.args[1]"


global_owner = Owner()


def uses_a_global(token: object) -> None:
    print(global_owner, token)


class Library:
    owner: Any = None

    @staticmethod
    def release(token: object) -> None: ...


def test_a_global_of_a_module_is_no_capture() -> None:
    assert harmless(uses_a_global)
    assert find(uses_a_global, global_owner) == (None, True)


def test_an_attribute_of_a_class_is_no_capture() -> None:
    Library.owner = Owner()
    try:
        assert find(functools.partial(Library.release, Library()), Library.owner) == (None, True)
    finally:
        Library.owner = None


def test_a_weak_reference_is_no_capture() -> None:
    owner = Owner()
    assert find(functools.partial(print, weakref.ref(owner), weakref.WeakSet([owner])), owner) == (None, True)


def test_a_library_is_no_capture() -> None:
    library: Any = ctypes.CDLL(None)
    owner = library.owner = Owner()
    assert find(library.free, owner) == (None, True)


def test_what_an_errcheck_reaches_is_a_capture() -> None:
    owner, free = Owner(), ctypes.CDLL(None).free
    free.errcheck = closes_over(owner)  # type: ignore[assignment]
    assert not harmless(free)
    assert find(free, owner).path == "release.errcheck.__closure__[0] (self)"


@pytest.mark.parametrize(
    "callback", [os.close, print, Library.release, Library, ctypes.CDLL(None).free, uses_a_global, ctypes.c_int]
)
def test_what_nearly_everybody_passes_is_harmless_at_a_glance(callback: Callable[..., object]) -> None:
    assert harmless(callback)


def test_the_refusal_names_callback_owner_and_path() -> None:
    owner = Owner()
    with pytest.raises(CapturedOwner) as caught:
        refuse(owner.close, owner)
    assert caught.value.path == "release.__self__"
    assert str(caught.value) == (
        "release=Owner.close would keep the Owner alive for ever: it reaches it by release.__self__. "
        "Pass a plain function or a static method: what it needs is given to it as its argument."
    )


def test_a_partial_is_called_by_the_function_inside() -> None:
    owner = Owner()
    with pytest.raises(CapturedOwner, match=r"fn=partial of Owner\.close would"):
        refuse(functools.partial(Owner.close, owner), owner, "fn")


def test_a_bound_that_was_hit_is_said_not_passed() -> None:
    owner, crowd = Owner(), [[] for _ in range(LIMIT)]  # type: ignore[var-annotated]
    assert find(crowd.append, owner) == (None, False)
    with pytest.warns(UncheckedCapture, match=rf"release=list\.append reaches more than {LIMIT} objects") as caught:
        refuse(crowd.append, owner)
    assert caught[0].filename == __file__


def test_what_was_seen_before_the_bound_still_counts() -> None:
    owner, crowd = Owner(), [[] for _ in range(LIMIT)]  # type: ignore[var-annotated]
    assert find(functools.partial(print, owner, crowd), owner).path == "release.args[0]"
    assert find(functools.partial(print, [*crowd, owner]), owner).path == f"release.args[0][{LIMIT}]"


def test_looking_keeps_nothing_alive() -> None:
    owner = Owner()
    weak, callback = weakref.ref(owner), closes_over(owner)
    find(callback, owner)
    gc.disable()
    try:
        del owner, callback
        assert weak() is None
    finally:
        gc.enable()


def test_a_route_starts_at_its_start() -> None:
    inner = Owner()
    outer = [inner]
    assert route(outer, lambda node: node is inner).way == (outer, inner)
    assert route(outer, lambda node: node is sys).way == ()
