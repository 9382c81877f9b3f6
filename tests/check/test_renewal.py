"""After a change, who is checked again, and that the answer is the one of a check from nothing."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenure.check import engine
from tenure.check.config import Config
from tenure.check.engine import check

#: Each file of a package with what may stand in it; ``None`` for no such file.
VARIANTS: dict[str, tuple[str | None, ...]] = {
    "__init__.py": ("", "from pack.maker import make\n"),
    "maker.py": (
        "def make(path):\n    return open(path)\n",
        "import io\n\ndef make(path):\n    return io.BytesIO(path)\n",
        "import socket\n\ndef make(path):\n    return socket.create_connection(path)\n",
        "# of no consequence\n\ndef make(path):\n    return open(path)\n",
        "def make(path)\n",
        None,
    ),
    "between.py": (
        "from pack.maker import make\n\ndef made(path):\n    return make(path)\n",
        "from pack import make\n\ndef made(path):\n    return make(path)\n",
        "def made(path):\n    return path\n",
    ),
    "user.py": ("from pack.between import made\n\ndef use(path):\n    f = made(path)\n    return f.read()\n",),
    "logger.py": ("from pack.between import made\n\ndef log():\n    f = made('log')\n    return f.read()\n",),
    "noise.py": ("def fail():\n    raise ValueError\n", "def fail():\n    return None\n"),
    "failing.py": (
        "from pack.noise import fail\n\ndef try_it(path):\n    f = open(path)\n    fail()\n    f.close()\n",
    ),
    "closer.py": (
        "def finish(f):\n    f.close()\n\ndef shut(f):\n    print(f)\n",
        "def finish(f):\n    print(f.name)\n\ndef shut(f):\n    f.close()\n",
        "def finish(f, force=False):\n    if force:\n        f.close()\n",
        None,
    ),
    "relay.py": ("from pack.closer import finish\n\ndef relay(f):\n    finish(f)\n",),
    "relayed.py": ("from pack.relay import relay\n\ndef hand(path):\n    f = open(path)\n    relay(f)\n",),
    "shop.py": ("from pack.closer import finish as end\n", "from pack.closer import shut as end\n"),
    "shopper.py": ("from pack.shop import end\n\ndef buy(path):\n    f = open(path)\n    end(f)\n",),
    "given.py": ("from pack.closer import finish\n\ndef give(path):\n    f = open(path)\n    finish(f)\n",),
    "parent.py": (
        "class Parent:\n    def close(self):\n        self.f.close()\n",
        "class Parent:\n    def close(self):\n        pass\n",
        "class Parent:\n    pass\n",
    ),
    "child.py": (
        "from pack.parent import Parent\n\nclass Child(Parent):\n    def __init__(self, path):\n"
        "        self.f = open(path)\n",
    ),
    "nanny.py": ("def mind(child):\n    child.f.close()\n", "def mind(child):\n    child.g.close()\n", None),
    "owner.py": ("from pack.child import Child\n\ndef own(path):\n    c = Child(path)\n    return c.name\n",),
    "pool.py": (
        "class Pool:\n    def get_file(self, path):\n        return open(path)\n",
        "class Pool:\n    def get_file(self, path):\n        return path\n",
    ),
    "other_pool.py": ("class Other:\n    def get_file(self, path):\n        return None\n", None),
    "hooks.py": (
        "import ctypes\n\nHOOK = ctypes.CFUNCTYPE(None)\n",
        "import ctypes\n\nHOOK = ctypes.c_int\n",
        "HOOK = print\n",
        None,
    ),
    "monitor.py": (
        "import ctypes\nfrom pack.hooks import HOOK\n\ndef hooked(f):\n    return HOOK(f)\n\n"
        "def start(lib):\n    lib.set_hook(HOOK(start))\n",
    ),
    "watcher.py": (
        "import ctypes\nfrom pack.monitor import hooked\n\ndef watch(lib):\n    lib.set_hook(hooked(watch))\n",
    ),
    "registry.py": (
        "import threading\n\nlock = threading.Lock()\n\ndef forget(it):\n    with lock:\n        print(it)\n",
        "import threading\n\nlock = threading.RLock()\n\ndef forget(it):\n    with lock:\n        print(it)\n",
        "def forget(it):\n    print(it)\n",
    ),
    "forgetful.py": (
        "from pack.registry import forget\n\nclass Held:\n    def __del__(self):\n        forget(id(self))\n",
    ),
    "collect.py": (
        "import weakref\n\ndef on_collect(owner, end):\n    return weakref.finalize(owner, end)\n",
        "import weakref\n\ndef on_collect(owner, end):\n    return weakref.finalize(end, print)\n",
        "def on_collect(owner, end):\n    return None\n",
    ),
    "collected.py": (
        "from pack.collect import on_collect\n\nclass Cache:\n    def __init__(self):\n"
        "        self.end = on_collect(self, self.release)\n\n    def release(self):\n        pass\n",
    ),
    "swimmer.py": (
        "class Swimmer:\n    def swim(self, path):\n        f = self.pool.get_file(path)\n        return f.read()\n",
    ),
}


def write(pack: Path, choice: dict[str, int]) -> None:
    pack.mkdir(parents=True, exist_ok=True)
    for name, which in choice.items():
        text = VARIANTS[name][which]
        if text is None:
            (pack / name).unlink(missing_ok=True)
        else:
            (pack / name).write_text(text)


choices = st.fixed_dictionaries({name: st.integers(0, len(texts) - 1) for name, texts in VARIANTS.items()})


@settings(max_examples=60, deadline=None)
@given(st.lists(choices, min_size=2, max_size=4))
def test_a_run_after_any_changes_finds_what_a_first_run_would(history: list[dict[str, int]]) -> None:
    everything = Config(certainty="possible")
    with TemporaryDirectory() as folder:
        pack, cache = Path(folder, "pack"), Path(folder, "cache")
        for choice in history:
            write(pack, choice)
            again = check([pack], everything, cache=cache)
            anew = check([pack], everything)
            assert again.findings == anew.findings
            assert (again.files, again.lines) == (anew.files, anew.lines)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    write(tmp_path / "pack", dict.fromkeys(VARIANTS, 0))
    return tmp_path / "pack"


def again(pack: Path, judged: list[str]) -> list[str]:
    judged.clear()
    check([pack], Config(certainty="possible"), cache=pack.parent / "cache")
    return sorted(judged)


CHANGES: list[tuple[str, str | None, list[str]]] = [
    ("maker.py", "def make(path):\n    return open(path)\n\n# more\n", ["maker.py"]),
    ("maker.py", "\n\n\ndef make(path):\n    return open(path)\n", ["maker.py"]),
    ("maker.py", "def make(path):\n    return open(path)\n\ndef idle():\n    return 1\n", ["maker.py"]),
    ("maker.py", 'def make(path):\n    return open(path, "rb")\n', ["between.py", "maker.py"]),
    ("maker.py", "def make(path):\n    return path\n", ["between.py", "logger.py", "maker.py", "user.py"]),
    ("maker.py", None, ["between.py", "logger.py", "user.py"]),
    ("user.py", "def use(path):\n    return path\n", ["user.py"]),
    (
        "maker.py",
        "import socket\n\ndef make(path):\n    return socket.create_connection(path)\n",
        ["between.py", "logger.py", "maker.py", "user.py"],
    ),
    (
        "closer.py",
        "def finish(f):\n    print(f)\n",
        ["closer.py", "given.py", "relay.py", "relayed.py", "shopper.py"],
    ),
    ("noise.py", "def fail():\n    return None\n", ["failing.py", "noise.py"]),
    ("shop.py", "from pack.closer import shut as end\n", ["shop.py", "shopper.py"]),
    ("parent.py", "class Parent:\n    pass\n", ["child.py", "owner.py", "parent.py"]),
    ("other_pool.py", None, ["swimmer.py"]),
    ("nanny.py", "def mind(child):\n    child.g.close()\n", ["nanny.py"]),
    ("fresh.py", "def first():\n    return 1\n", ["fresh.py"]),
]


@pytest.mark.parametrize(("name", "text", "concerned"), CHANGES)
def test_only_those_concerned_are_checked_again(
    pack: Path, judged: list[str], name: str, text: str | None, concerned: list[str]
) -> None:
    again(pack, judged)
    if text is None:
        (pack / name).unlink()
    else:
        (pack / name).write_text(text)
    assert again(pack, judged) == concerned
    assert again(pack, judged) == []


def test_a_module_that_somebody_looked_for_in_vain_concerns_them_when_it_comes(pack: Path, judged: list[str]) -> None:
    (pack / "early.py").write_text(
        "from pack.late import late\n\ndef f(path):\n    x = late(path)\n    return x.read()\n"
    )
    again(pack, judged)
    (pack / "late.py").write_text("def late(path):\n    return open(path)\n")
    assert again(pack, judged) == ["early.py", "late.py"]


def test_a_change_outside_of_the_files_under_check_counts(pack: Path, judged: list[str]) -> None:
    user = pack / "user.py"
    cache = pack.parent / "cache"
    assert [f.rule for f in check([user], Config(), cache=cache).findings] == ["never-closed"]
    (pack / "maker.py").write_text("def make(path):\n    return path\n")
    assert check([user], Config(), cache=cache).findings == ()


def test_what_comes_within_reach_of_a_file_is_learnt(tmp_path: Path) -> None:
    pack, cache = tmp_path / "pack", tmp_path / "cache"
    pack.mkdir()
    (pack / "__init__.py").write_text("")
    (pack / "m5.py").write_text("class Pool:\n    def get_file(self, path):\n        return open(path)\n")
    for n in range(1, 5):
        (pack / f"m{n}.py").write_text(f"from pack import m{n + 1}\n")
    near, use = pack / "near.py", "class S:\n    def f(self, path):\n        x = self.pool.get_file(path)\n"
    for n in range(1, 6):
        near.write_text(f"from pack import m{n}\n\n{use}")
        again, anew = check([near], Config(), cache=cache), check([near], Config())
        assert again.findings == anew.findings
        assert bool(anew.findings) == (n >= 3)


def test_a_folder_that_becomes_a_package_is_checked_anew(tmp_path: Path, judged: list[str]) -> None:
    folder = tmp_path / "loose"
    folder.mkdir()
    (folder / "alone.py").write_text("x = 1\n")
    again(folder, judged)
    (folder / "__init__.py").write_text("")
    assert again(folder, judged) == ["__init__.py", "alone.py"]


@pytest.fixture
def two_packages(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        write(tmp_path / "both" / name, dict.fromkeys(VARIANTS, 0))
        for file in (tmp_path / "both" / name).iterdir():
            file.write_text(file.read_text().replace("pack", name))
    return tmp_path / "both"


def test_packages_are_renewed_side_by_side(two_packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "WORTH_SHARING", 4)
    cache = two_packages.parent / "cache"
    first = check([two_packages], Config(), jobs=2, cache=cache)
    assert first.findings == check([two_packages], Config(), jobs=1).findings
    for name in ("one", "two"):
        (two_packages / name / "maker.py").write_text("def make(path):\n    return path\n")
        (two_packages / name / "closer.py").write_text("def finish(f):\n    print(f)\n")
    second = check([two_packages], Config(), jobs=2, cache=cache)
    assert second.findings == check([two_packages], Config(), jobs=1).findings
    assert first.findings != second.findings
