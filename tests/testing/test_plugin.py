"""The pytest plugin, run on examples that leak: each fails itself, with the line, and its neighbours do not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = """
import pytest
import tenure

def release(token): ...

@pytest.fixture
def careful():
    with tenure.own(10, release=release, kind="careful") as handle:
        yield handle

@pytest.fixture
def careless():
    return tenure.own(20, release=release, kind="careless")

@pytest.fixture(scope="module")
def wide():
    with tenure.own(30, release=release, kind="wide") as handle:
        yield handle

@pytest.fixture(scope="module")
def wide_and_careless():
    yield tenure.own(40, release=release, kind="wide and careless")

KEPT = []

def test_closes(careful): ...

def test_keeps_open():
    KEPT.append(tenure.own(1, release=release, kind="kept"))

def test_is_a_neighbour():
    KEPT.clear()

def test_drops():
    tenure.own(2, release=release, kind="dropped")

def test_drops_in_a_cycle():
    class Node: ...
    node = Node()
    node.me, node.handle = node, tenure.own(3, release=release, kind="in a cycle")

def test_is_another_neighbour(): ...

def test_takes_what_is_careless(careless): ...

def test_uses_what_is_wide(wide): ...

def test_uses_what_is_wide_again(wide): ...

@pytest.mark.leaves_open
def test_leaks_on_purpose():
    tenure.own(4, release=release, kind="on purpose")
    KEPT.append(tenure.own(5, release=release, kind="on purpose too"))
    with pytest.warns(tenure.errors.AbandonedHandle):
        tenure.own(6, release=release, kind="on purpose as well")
        tenure.drain()

def test_comes_after_that():
    KEPT.clear()

def test_fails_with_something_open():
    handle = tenure.own(7, release=release, kind="held by a traceback")
    assert handle.closed

def test_comes_after_the_failure(): ...

def test_chooses_its_own_policy():
    before = tenure.configure(leak="off")
    tenure.own(8, release=release, kind="dropped without a word")
    tenure.drain()
    tenure.configure(**before._asdict())

def test_uses_what_is_wide_and_careless(wide_and_careless): ...

def test_is_the_last_of_the_module(): ...
"""

LEAK = {
    "test_keeps_open": "1 × kept, opened at .*test_examples.py:{line} in test_keeps_open.*, still open after the test",
    "test_drops": "dropped handle 0x2 was never closed. Opened at .*test_examples.py:{line} in test_drops",
    "test_drops_in_a_cycle": "in a cycle handle 0x3 was never closed. Opened at .*:{line} in test_drops_in_a_cycle",
    "test_takes_what_is_careless": "1 × careless, opened at .*:{line} in careless, still open after the test",
    "test_is_the_last_of_the_module": "wide and careless handle 0x28 was never closed. Opened at .*:{line} in wide_and",
}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of the examples, with no configuration at all."""
    directory = tmp_path_factory.mktemp("examples")
    (directory / "test_examples.py").write_text(EXAMPLES, "utf-8")
    return run_pytest(directory)


def run_pytest(directory: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def named_with(outcome: str, output: str) -> set[str]:
    return set(re.findall(rf"^{outcome} \S+::(\w+)", output, re.MULTILINE))


def test_those_that_leak_fail_and_no_others(output: str) -> None:
    assert named_with("ERROR", output) == set(LEAK)
    assert named_with("FAILED", output) == {"test_fails_with_something_open"}
    assert named_with("PASSED", output) == set(re.findall(r"^def (test_\w+)", EXAMPLES, re.MULTILINE)) - {
        "test_fails_with_something_open"
    }


@pytest.mark.parametrize("name", LEAK)
def test_a_leak_is_told_with_the_line_that_opened_it(name: str, output: str) -> None:
    kind = re.match(r"(?:1 × )?([a-z ]*?)(?:,| handle)", LEAK[name])
    assert kind is not None
    line = next(number for number, text in enumerate(EXAMPLES.splitlines(), 1) if f'kind="{kind[1]}"' in text)
    assert re.search(rf"ERROR at teardown of {name} _+\n" + LEAK[name].format(line=line), output)


def test_what_to_do_is_said(output: str) -> None:
    assert "Close what a test opens in the test, or in the fixture that opened it;" in output


def test_a_fixture_of_wider_scope_that_stays_open_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(
        "import pytest, tenure\n"
        "KEPT = []\n"
        "@pytest.fixture(scope='module')\n"
        "def wide():\n"
        "    KEPT.append(tenure.own(1, release=print, kind='forgotten'))\n"
        "    yield\n"
        "def test_first(wide): ...\n"
        "def test_second(wide): ...\n",
        "utf-8",
    )
    output = run_pytest(tmp_path)
    assert named_with("ERROR", output) == {"test_second"}
    assert re.search(r"1 × forgotten, opened at .*:5 in wide.*, still open after fixture wide \(module scope\)", output)


def test_it_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(
        "import tenure\nKEPT = []\ndef test_keeps():\n    KEPT.append(tenure.own(1, release=print))\n", "utf-8"
    )
    assert named_with("ERROR", run_pytest(tmp_path)) == {"test_keeps"}
    assert named_with("ERROR", run_pytest(tmp_path, "-p", "no:tenure")) == set()


def test_it_starts_nothing_where_nothing_is_opened(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(
        "import threading\ndef test_threads():\n    assert threading.active_count() == 1\n", "utf-8"
    )
    assert named_with("PASSED", run_pytest(tmp_path)) == {"test_threads"}
