"""One suite for both implementations: the definition and whatever says it agrees with it, loaded side by side."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

import pytest

import tenure
from tenure._impl import chosen
from tenure._impl.contract import Counts, Entry
from tenure._impl.site import Site
from tenure.runtime import captures

MODULES: Final = {"pure": "tenure._impl.pure", "native": "tenure._native"}


class _Hooks:
    """For the implementation that the process did not choose: no thread; what is queued waits for ``drain``."""

    def first(self) -> bool:
        return True

    def check(self, release: Callable[..., object], owner: object) -> None:
        captures.refuse(release, owner)

    def passes(self, site: Site) -> bool:
        return False

    def failed(self, entry: Entry, error: BaseException) -> None:
        raise error


class Runtime:
    """An implementation under test, and what came of its tokens."""

    def __init__(self, name: str) -> None:
        self.module: ModuleType = importlib.import_module(MODULES[name])
        self.name = name
        self.Handle: Any = self.module.Handle
        self.released: list[Any] = []
        if self.module is not chosen:
            self.module.install(_Hooks())
        self._before: Counts = self.module.counts()

    def own(self, token: Any, **options: Any) -> Any:
        """A handle whose release is noted."""
        return self.Handle.own(token, **{"release": self.released.append, **options})

    def configure(self, *, depth: int = 3, sample: int = 1, refuse: bool = False, strict: bool = False) -> None:
        """Settings for one test; the fixture puts them back."""
        self.module.configure(depth=depth, sample=sample, refuse=refuse, strict=strict)

    def drain(self) -> None:
        """Have everything released that nobody holds."""
        gc.collect()
        if self.module is chosen:
            tenure.drain()
            return
        while (item := self.module.queue.get(0)) is not None:
            item.close() if isinstance(item, self.module.Remains) else item()
            del item  # or it would hold its parent while the next one is looked for

    @property
    def booked(self) -> Counts:
        """The books since this test began."""
        return Counts(*(now - then for now, then in zip(self.module.counts(), self._before, strict=True)))


def load(name: str) -> Runtime:
    """The implementation, or a skip with the reason why it is not there."""
    try:
        return Runtime(name)
    except ImportError as error:
        pytest.skip(f"tenure._native is not built here: {error}")


@pytest.fixture(params=list(MODULES))
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    """Each implementation, with leaks released without a word, and nothing open at the end."""
    before = tenure.configure(leak="off")
    gc.collect()
    gc.freeze()  # so that the collections of a test look at its own objects
    runtime = load(request.param)
    try:
        yield runtime
        runtime.drain()
        assert runtime.booked.open == 0
    finally:
        gc.unfreeze()
        runtime.configure()
        tenure.configure(**before._asdict())
