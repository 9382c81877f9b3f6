"""Acquired means owned (P1): what a handle takes over, what it refuses, and what it leaves behind when it fails."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from tenure.errors import AlreadyOwned, CapturedOwner, ClosedHandle, NoToken
from tenure.lifecycle import State

from .conftest import Runtime


def test_the_factory_is_called_with_its_arguments_and_its_token_owned(runtime: Runtime) -> None:
    with runtime.Handle(lambda *args: args, 1, 2, release=runtime.released.append) as handle:
        assert handle.state is State.OPEN
        assert runtime.booked.open == 1
    assert runtime.released == [(1, 2)]


def test_a_factory_that_raises_leaves_nothing(runtime: Runtime) -> None:
    with pytest.raises(ZeroDivisionError):
        runtime.Handle(lambda: 1 // 0, release=runtime.released.append)
    assert runtime.booked == (0,) * 7


def test_a_factory_that_gives_none_is_refused_by_its_name(runtime: Runtime) -> None:
    def nothing() -> None: ...

    with pytest.raises(NoToken, match=r"^nothing returned None, which is no token, at .*test_opening\.py:\d+ in test_"):
        runtime.Handle(nothing, release=runtime.released.append)
    assert runtime.booked == (0,) * 7


@pytest.mark.parametrize("token", [7, -7, 1 << 80, "fd", ("a", 1), 2.5])
def test_a_second_owner_that_would_release_the_same_is_refused(runtime: Runtime, token: Any) -> None:
    def release(token: Any) -> None: ...

    with runtime.Handle.own(token, release=release):
        with pytest.raises(AlreadyOwned, match=r"already has an owner, since .*test_opening.* a second one, at .*"):
            runtime.Handle.own(token, release=release)
        runtime.Handle.own(token, release=release, shared=True).close()
        runtime.own(token).close()  # another release: another resource
    runtime.Handle.own(token, release=release).close()
    assert runtime.booked[:2] == (4, 4)


def test_a_token_without_a_hash_can_be_owned(runtime: Runtime) -> None:
    token: list[int] = []
    runtime.own(token).close()
    assert runtime.released == [token]


def test_a_token_whose_hash_raises_is_released_and_the_error_seen(runtime: Runtime) -> None:
    class Odd:
        def __hash__(self) -> int:
            raise KeyError("odd")

    with pytest.raises(KeyError, match="odd"):
        runtime.own(Odd())
    assert len(runtime.released) == 1
    assert runtime.booked.open == 0


def test_what_is_no_function_cannot_release(runtime: Runtime) -> None:
    with pytest.raises(TypeError, match="release must be callable, not int"):
        runtime.Handle.own(1, release=2)


@pytest.mark.parametrize("arguments", [{}, {"release": print, "sise": 1}])
def test_wrong_arguments_are_type_errors(runtime: Runtime, arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        runtime.Handle.own(1, **arguments)
    with pytest.raises(TypeError):
        runtime.Handle(lambda: 1, **arguments)
    assert runtime.booked == (0,) * 7


def test_a_subclass_opens_in_its_constructor_and_is_named_after_itself(runtime: Runtime) -> None:
    class Pipe(runtime.Handle):  # type: ignore[misc,name-defined]
        def __init__(self, name: str) -> None:
            super().__init__(str.upper, name, release=runtime.released.append, size=3)
            self.name = name

    with Pipe("a") as pipe:
        (entry,) = [entry for entry in runtime.module.entries() if entry.kind == "Pipe"]
        assert (entry.size, entry.state, pipe.name) == (3, State.OPEN, "a")
        assert runtime.booked.size == 3
        with pytest.raises(TypeError, match="is open already; a handle owns one token in its life"):
            pipe.__init__("b")
    assert runtime.released == ["A"]


def test_a_constructor_that_fails_after_opening_releases_what_it_got(runtime: Runtime) -> None:
    class Half(runtime.Handle):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__(lambda: 5, release=runtime.released.append)
            raise OSError("the second half")

    with pytest.raises(OSError, match="the second half"):
        Half()
    runtime.drain()
    assert runtime.released == [5]


def test_a_subclass_with_a_finalizer_of_its_own_is_refused(runtime: Runtime) -> None:
    with pytest.raises(TypeError, match="defines __del__, which would replace the safety net"):
        type("Bad", (runtime.Handle,), {"__del__": lambda self: None})


def test_arguments_of_a_class_statement_reach_the_other_bases(runtime: Runtime) -> None:
    seen: list[Any] = []

    class Mixin:
        def __init_subclass__(cls, *, tag: str, **rest: Any) -> None:
            super().__init_subclass__(**rest)
            seen.append(tag)

    class Both(runtime.Handle, Mixin, tag="t"):  # type: ignore[misc,name-defined]
        pass

    assert seen == ["t"]
    handle: Any = Both.own(3, release=runtime.released.append)
    handle.close()


def test_slots_dicts_and_weak_references_work_in_subclasses(runtime: Runtime) -> None:
    import weakref

    class Slotted(runtime.Handle):  # type: ignore[misc,name-defined]
        __slots__ = ("extra",)

    class Open(Slotted):
        pass

    handle = Open.own(1, release=runtime.released.append)
    handle.extra, handle.other = "slot", "dict"
    gone: list[int] = []
    weak = weakref.ref(handle, lambda _: gone.append(1))
    assert id(weak()) == id(handle)
    handle.close()
    del handle
    assert gone == [1]


def test_annotations_may_say_what_the_token_is(runtime: Runtime) -> None:
    assert runtime.Handle[int] is not None
    assert runtime.module.Lease[int] is not None


def test_a_release_that_reaches_the_handle_is_refused_with_its_path(runtime: Runtime) -> None:
    class Own(runtime.Handle):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__(lambda: 1, release=self.free)

        def free(self, token: int) -> None: ...

    with pytest.raises(CapturedOwner, match="free"):
        Own()
    gc.collect()
    assert runtime.booked.opened == 0


def test_the_site_is_the_line_of_the_caller_as_deep_as_configured(runtime: Runtime) -> None:
    for depth in (0, 1, 2, 5):
        runtime.configure(depth=depth)
        with runtime.Handle.own(depth, release=runtime.released.append) as handle:
            site = runtime.module.entry_of(handle).site
        assert len(site._frames) == depth
        if depth:
            assert site.frames()[0][2] == "test_the_site_is_the_line_of_the_caller_as_deep_as_configured"


def test_equal_frames_are_one_site(runtime: Runtime) -> None:
    handles = [runtime.own(number) for number in range(3)]
    sites = {runtime.module.entry_of(handle).site for handle in handles}
    assert len(sites) == 1
    for handle in handles:
        handle.close()


def test_only_every_nth_site_is_kept_where_so_configured(runtime: Runtime) -> None:
    runtime.configure(sample=3)
    kept = 0
    for number in range(9):
        with runtime.own(number) as handle:
            kept += bool(runtime.module.entry_of(handle).site._frames)
    assert kept == 3


def test_a_child_of_a_closed_parent_is_refused_before_its_factory_is_called(runtime: Runtime) -> None:
    called: list[int] = []
    parent = runtime.own(1)
    parent.close()
    with pytest.raises(ClosedHandle):
        runtime.Handle(called.append, 1, release=print, parent=parent)
    assert called == []
