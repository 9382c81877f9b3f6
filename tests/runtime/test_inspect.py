"""A process shows its ledger to its own user, once for each who asks, and to nobody else."""

from __future__ import annotations

import os
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tenure
from tenure.errors import NotShown, NotToBeSeen, UnsafeDirectory
from tenure.runtime import inspect, rendezvous
from tenure.runtime.look import look, visible


@pytest.fixture(autouse=True)
def _own_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))


@pytest.fixture
def server() -> Iterator[inspect.Server]:
    with inspect.serve() as it:
        yield it


def test_the_socket_is_the_users_alone_in_a_directory_of_the_users_alone(server: inspect.Server) -> None:
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.path.parent.stat().st_mode) == 0o700


def test_what_is_open_is_shown_by_line(server: inspect.Server) -> None:
    handles = [tenure.own(number, release=print, kind="thing", size=10) for number in (1, 2)]
    seen = look(os.getpid())
    (line,) = [line for line in seen["lines"] if line["kind"] == "thing"]
    assert (line["open"], line["bytes"], line["growth"]) == (2, 20, None)
    assert "test_inspect.py:" in line["site"]
    assert line["oldest"] >= 0
    assert (seen["pid"], seen["implementation"]) == (os.getpid(), tenure.implementation)
    for handle in handles:
        handle.detach()


def test_a_line_is_one_whoever_called_it(server: inspect.Server) -> None:
    def opened() -> tenure.Handle[int]:
        return tenure.own(id(object()), release=print, kind="thing", shared=True)

    handles = [opened(), opened(), *(opened() for _ in range(1))]
    assert [line["open"] for line in look(os.getpid())["lines"] if line["kind"] == "thing"] == [3]
    for handle in handles:
        handle.detach()


def test_growth_is_counted_from_the_last_look(server: inspect.Server) -> None:
    def growths() -> list[int | None]:
        return [line["growth"] for line in look(os.getpid())["lines"] if line["kind"] == "thing"]

    handles = [tenure.own(number, release=print, kind="thing") for number in (1, 2)]
    assert growths() == [None]
    assert growths() == [0]
    handles.pop().detach()
    assert growths() == [-1]
    handles.pop().detach()
    assert growths() == [-1]  # nothing is left, and that is told once
    assert growths() == []


def test_another_user_is_turned_away(server: inspect.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    other = os.geteuid() + 1
    monkeypatch.setattr(inspect, "_PEER", _Peer(other))
    with pytest.raises(NotToBeSeen, match="belongs to another user"):
        look(os.getpid())


class _Peer:
    """The kernel's answer, with another user in it."""

    size = struct.calcsize("3i")

    def __init__(self, uid: int) -> None:
        self._uid = uid

    def unpack(self, told: bytes) -> tuple[int, int, int]:
        pid, _, gid = struct.unpack("3i", told)
        return pid, self._uid, gid


def test_serving_twice_is_serving_once(server: inspect.Server, tmp_path: Path) -> None:
    assert inspect.serve() is server
    with pytest.raises(NotShown, match=r"it is shown at .* already"):
        inspect.serve(tmp_path / "elsewhere")


def test_a_closed_server_leaves_no_socket_and_another_can_be_opened() -> None:
    first = inspect.serve()
    first.close()
    first.close()
    assert not first.path.exists()
    with inspect.serve() as second:
        assert look(os.getpid())["pid"] == os.getpid()
        assert second is not first


def test_a_path_of_ones_own_is_served(tmp_path: Path) -> None:
    with inspect.serve(tmp_path / "here"), socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(tmp_path / "here"))
        assert asking.recv(1) == b"{"


def test_a_socket_left_behind_by_the_dead_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "here"))
    with inspect.serve(tmp_path / "here"):
        pass


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("precious")
    with pytest.raises(NotShown, match=r"the ledger cannot be shown at .*here: .*in use"):
        inspect.serve(tmp_path / "here")
    assert (tmp_path / "here").read_text() == "precious"


@pytest.mark.parametrize("spoil", ["open", "link"])
def test_a_directory_that_others_can_enter_is_refused(spoil: str, tmp_path: Path) -> None:
    path = Path(os.environ["XDG_RUNTIME_DIR"], "tenure")
    if spoil == "link":
        path.symlink_to(tmp_path)
    else:
        path.mkdir()
        path.chmod(0o755)
    with pytest.raises(UnsafeDirectory, match="is no directory that this user alone can enter"):
        inspect.serve()


def test_without_a_runtime_directory_it_is_in_the_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert rendezvous.directory() == tmp_path / f"tenure-{os.geteuid()}"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_does_not_answer_for_its_parent(server: inspect.Server) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0 if server._listener.fileno() == -1 and server.path.exists() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert look(os.getpid())["pid"] == os.getpid()


PROGRAM = """
import os, sys, tenure
handle = tenure.own(7, release=lambda token: None, kind="thing")
child = os.fork()
if child == 0:
    own = tenure.own(8, release=lambda token: None, kind="of the child")
print(os.getpid(), flush=True)
sys.stdin.read()
handle.close() if child else own.close()
"""


def test_the_environment_opens_it_in_each_process_that_registers_and_exit_removes_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        env={**os.environ, "TENURE_INSPECT": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        both = sorted(int(process.stdout.readline()) for _ in range(2))
        kinds = {seen["pid"]: [line["kind"] for line in seen["lines"]] for seen in visible()}
        process.stdin.close()
    assert kinds == {process.pid: ["thing"], next(pid for pid in both if pid != process.pid): ["of the child"]}
    assert process.returncode == 0
    assert process.pid not in rendezvous.pids()


def test_a_server_that_cannot_be_opened_is_a_warning_where_only_the_environment_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nonexistent")
    with pytest.warns(RuntimeWarning, match="the ledger cannot be shown at /nonexistent/tenure: .*No such file"):
        inspect.serve_as_asked()


def test_no_such_process() -> None:
    with pytest.raises(NotToBeSeen, match=r"process 4194305 does not exist. `tenure ledger` lists"):
        look(4194305)


def test_a_process_that_does_not_show_its_ledger() -> None:
    with pytest.raises(NotToBeSeen, match=r"does not show its ledger. Start it with TENURE_INSPECT=1, or call"):
        look(os.getpid())


def test_a_process_of_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(NotToBeSeen, match="belongs to another user"):
        look(os.getpid())


def test_the_dead_are_not_listed(server: inspect.Server) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(rendezvous.socket_of(4194305)))
    assert [seen["pid"] for seen in visible()] == [os.getpid()]
