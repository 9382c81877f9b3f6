"""A fixed file checks clean, does what it did before, and leaves nothing open, whichever way its functions end."""

from __future__ import annotations

import contextlib
import os
import socket
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tenure.check.config import Config
from tenure.check.engine import check_source
from tenure.check.fix.rewrite import rewrite

Play = Callable[[Any, Path], Iterator[object]]

#: By name: a text with leaks.
TEXTS: dict[str, str] = {}
#: By name: what is done with its functions; every value it yields, and every exception, is an outcome.
PLAYS: dict[str, Play] = {}


def case(text: str) -> Callable[[Play], Play]:
    def keep(play: Play) -> Play:
        TEXTS[play.__name__], PLAYS[play.__name__] = textwrap.dedent(text).lstrip(), play
        return play

    return keep


def ended(act: Callable[..., object], *arguments: object) -> str:
    """What came of a call: its value, or its exception, in words."""
    try:
        return repr(act(*arguments))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def a_file(folder: Path, content: bytes = b"one\ntwo\nthree\n") -> str:
    file = folder / "file"
    file.write_bytes(content)
    return str(file)


@case("""
    def first_line(path):
        f = open(path)
        return f.readline()
""")
def never_closed(module: Any, folder: Path) -> Iterator[object]:
    yield ended(module.first_line, a_file(folder))
    yield ended(module.first_line, "gone")


@case("""
    def parsed(path, parse):
        f = open(path)
        text = parse(f)
        f.close()
        return text
""")
def lost_on_error(module: Any, folder: Path) -> Iterator[object]:
    yield ended(module.parsed, a_file(folder), lambda f: f.read())
    yield ended(module.parsed, a_file(folder), lambda f: int(f.read()))


@case("""
    def find(path, word):
        f = open(path)
        try:
            for line in f:
                if word in line:
                    return line
        except OSError:
            f.close()
            raise
        f.close()
        return None
""")
def early_return(module: Any, folder: Path) -> Iterator[object]:
    yield from (ended(module.find, a_file(folder), word) for word in ("two", "ten", 3))


@case("""
    import os

    def size_or_none(path, wanted):
        fd = os.open(path, os.O_RDONLY)
        if not wanted:
            return None
        size = os.fstat(fd).st_size
        os.close(fd)
        return size
""")
def a_descriptor(module: Any, folder: Path) -> Iterator[object]:
    yield from (ended(module.size_or_none, a_file(folder), wanted) for wanted in (True, False))


@case("""
    import json

    def loaded(path):
        return json.load(open(path))
""")
def a_temporary(module: Any, folder: Path) -> Iterator[object]:
    yield ended(module.loaded, a_file(folder, b"[1, 2]"))
    yield ended(module.loaded, a_file(folder, b"nonsense"))


@case("""
    def stamp(path):
        open(path, "w").write("x")
""")
def a_temporary_that_writes(module: Any, folder: Path) -> Iterator[object]:
    yield ended(module.stamp, a_file(folder))
    yield (folder / "file").read_text("utf-8")


@case("""
    def longest(path):
        found = ""
        for line in open(path):
            if len(line) > len(found):
                found = line
        return found
""")
def a_loop_over_a_temporary(module: Any, folder: Path) -> Iterator[object]:
    yield ended(module.longest, a_file(folder))


@case("""
    def magic(path):
        f = open(path, "rb")
        if f.read(2) != b"PK":
            raise ValueError("bad magic")
        return f
""")
def handed_on(module: Any, folder: Path) -> Iterator[object]:
    with module.magic(a_file(folder, b"PK!")) as f:
        yield f.read()
    yield ended(module.magic, a_file(folder, b"XX"))


@case("""
    class Tar:
        def __init__(self, path):
            self.fh = open(path, "rb")
            if self.fh.read(3) != b"tar":
                raise OSError("bad tar")

        def close(self):
            self.fh.close()
""")
def lost_in_init(module: Any, folder: Path) -> Iterator[object]:
    tar = module.Tar(a_file(folder, b"tarball"))
    yield tar.fh.read()
    tar.close()
    yield ended(module.Tar, a_file(folder, b"zip"))


@case("""
    import socket

    class Duo:
        def __enter__(self):
            self.a = socket.create_connection(self.first)
            self.b = socket.create_connection(self.second)
            return self

        def __init__(self, first, second):
            self.first = first
            self.second = second

        def __exit__(self, *exc):
            self.b.close()
            self.a.close()
""")
def the_first_of_two(module: Any, folder: Path) -> Iterator[object]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        here = server.getsockname()
        with module.Duo(here, here) as duo:
            yield duo.a.getpeername() == here
            yield duo.b.getpeername() == here
        yield ended(module.Duo(here, ("127.0.0.1", "no port")).__enter__)


@case("""
    import socket

    def answer(server: socket.socket, reply):
        conn, addr = server.accept()
        conn.sendall(reply())
        conn.close()
""")
def an_accepted_connection(module: Any, folder: Path) -> Iterator[object]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for reply in (lambda: b"hello", lambda: 1 // 0):
            with socket.create_connection(server.getsockname()) as client:
                yield ended(module.answer, server, reply)
                yield client.recv(9)


@case("""
    import sqlite3

    def insert(path, values):
        with sqlite3.connect(path) as conn:
            conn.execute("create table if not exists t (x)")
            conn.executemany("insert into t values (?)", values)

    def count(path):
        conn = sqlite3.connect(path)
        return conn.execute("select count(*) from t").fetchone()
""")
def a_database(module: Any, folder: Path) -> Iterator[object]:
    path = str(folder / "db")
    yield ended(module.insert, path, [(1,), (2,)])
    yield ended(module.insert, path, [(3,), (4, 5)])
    yield ended(module.count, path)


@case("""
    import tarfile
    import zipfile

    def names(path):
        return tarfile.open(path).getnames()

    def count(path):
        z = zipfile.ZipFile(path)
        return len(z.namelist())
""")
def archives(module: Any, folder: Path) -> Iterator[object]:
    yield ended(module.names, a_file(folder))
    yield ended(module.count, a_file(folder))


@case("""
    import mmap

    def peek(path):
        with open(path, "rb") as f:
            m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
            return m[:3]
""")
def a_memory_map(module: Any, folder: Path) -> Iterator[object]:
    yield ended(module.peek, a_file(folder))


@case("""
    import os

    def through(data):
        r, w = os.pipe()
        os.write(w, data)
        os.close(w)
        return os.read(r, 10)
""")
def a_pipe(module: Any, folder: Path) -> Iterator[object]:
    yield ended(module.through, b"abc")


@case("""
    import tempfile

    def scratch(data):
        fd, path = tempfile.mkstemp()
        with open(path, "wb") as f:
            f.write(data)
        return path
""")
def an_unused_descriptor(module: Any, folder: Path) -> Iterator[object]:
    path = Path(module.scratch(b"abc"))
    yield path.read_bytes()
    path.unlink()


@case("""
    import os

    def first(path):
        it = os.scandir(path)
        for entry in it:
            if entry.is_file():
                return entry.name
        return None
""")
def a_directory_scan(module: Any, folder: Path) -> Iterator[object]:
    yield ended(module.first, folder)
    a_file(folder)
    yield ended(module.first, folder)


@case("""
    import asyncio

    def run(coro):
        loop = asyncio.new_event_loop()
        return loop.run_until_complete(coro())
""")
def an_event_loop(module: Any, folder: Path) -> Iterator[object]:
    async def fine() -> int:
        return 1

    async def failing() -> int:
        raise ValueError("no")

    yield ended(module.run, fine)
    yield ended(module.run, failing)


def loaded(text: str, name: str) -> ModuleType:
    module = ModuleType(name)
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    return module


def fixed(name: str) -> str:
    path, config = f"{name}.py", Config()
    return rewrite(TEXTS[name], path, check_source(TEXTS[name], path, config), config).after


def outcomes(text: str, name: str, folder: Path) -> list[object]:
    folder.mkdir()
    return [str(outcome).replace(str(folder), "") for outcome in PLAYS[name](loaded(text, name), folder)]


def descriptors() -> set[tuple[str, str]]:
    """Every open descriptor and what it leads to; the one that lists them is closed again when it is asked."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))
    return found


@pytest.mark.parametrize("name", TEXTS)
def test_the_fixed_file_checks_clean(name: str) -> None:
    assert check_source(TEXTS[name], f"{name}.py", Config()), "the case has nothing to fix"
    assert check_source(fixed(name), f"{name}.py", Config()) == ()


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_fixed_file_does_what_it_did(name: str, tmp_path: Path) -> None:
    before = outcomes(TEXTS[name], name, tmp_path / "before")
    assert outcomes(fixed(name), name, tmp_path / "after") == before


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open descriptors are counted in /proc")
@pytest.mark.parametrize("name", TEXTS)
def test_the_fixed_file_leaves_nothing_open(name: str, tmp_path: Path) -> None:
    text = fixed(name)
    before = descriptors()
    outcomes(text, name, tmp_path / "play")
    assert descriptors() - before == set()
