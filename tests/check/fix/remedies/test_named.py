"""A named resource is closed where the function is done with it, and nothing else about the function changes."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

Remedied = Callable[..., str | None]

BECOMES = {
    "what uses it moves into a with, what does not stays out": (
        """
        def f(p):
            f = open(p)
            line = f.readline()
            return line
        """,
        """
        def f(p):
            with open(p) as f:
                line = f.readline()
            return line
        """,
    ),
    "the closing statement goes": (
        """
        def f(p):
            f = open(p)
            text = parse(f)
            f.close()
            return text
        """,
        """
        def f(p):
            with open(p) as f:
                text = parse(f)
            return text
        """,
    ),
    "comments and odd formatting stay": (
        """
        def f(p):
            # why it is opened
            f = open( p,
                      "rb" )  # binary
            # what is read
            return f.read(  2  )
        """,
        """
        def f(p):
            # why it is opened
            with open( p,
                      "rb" ) as f:  # binary
                # what is read
                return f.read(  2  )
        """,
    ),
    "a block does not begin with a blank line": (
        """
        def f(p):
            f = open(p)

            # what is read
            return f.read()
        """,
        """
        def f(p):
            with open(p) as f:
                # what is read
                return f.read()
        """,
    ),
    "a try whose finally closes it too late is taken apart": (
        """
        def f(p):
            f = open(p)
            limit = compute()
            try:
                return f.read(limit)
            finally:
                f.close()
        """,
        """
        def f(p):
            with open(p) as f:
                limit = compute()
                return f.read(limit)
        """,
    ),
    "handlers that only close and raise go": (
        """
        def f(p, word):
            f = open(p)
            try:
                for line in f:
                    if word in line:
                        return line
            except OSError:
                f.close()
                raise
            f.close()
            return None
        """,
        """
        def f(p, word):
            with open(p) as f:
                for line in f:
                    if word in line:
                        return line
            return None
        """,
    ),
    "handlers that do more stay": (
        """
        def f(p):
            f = open(p)
            try:
                return f.read()
            except OSError:
                return ""
            finally:
                f.close()
        """,
        """
        def f(p):
            with open(p) as f:
                try:
                    return f.read()
                except OSError:
                    return ""
        """,
    ),
    "what was made from it is inside too": (
        """
        def f(p):
            f = open(p)
            rows = csv.reader(f)
            first = next(rows)
            return first
        """,
        """
        def f(p):
            with open(p) as f:
                rows = csv.reader(f)
                first = next(rows)
            return first
        """,
    ),
    "a list made from it may be returned": (
        """
        def f(p):
            f = open(p)
            return [line.strip() for line in f]
        """,
        """
        def f(p):
            with open(p) as f:
                return [line.strip() for line in f]
        """,
    ),
    "a name that was something else before may be used before": (
        """
        def f(p):
            f = prepare(p)
            print(f)
            f = open(p)
            return f.read()
        """,
        """
        def f(p):
            f = prepare(p)
            print(f)
            with open(p) as f:
                return f.read()
        """,
    ),
}


@pytest.mark.parametrize("case", BECOMES)
def test_in_a_with_block(remedied: Remedied, case: str) -> None:
    before, after = BECOMES[case]
    assert remedied(before) == textwrap.dedent(after)


STAYS = {
    "it is returned": "def f(p):\n    f = open(p)\n    return f\n",
    "what reads through it is returned": "def f(p):\n    f = open(p)\n    return csv.reader(f)\n",
    "a generator over it is returned": "def f(p):\n    f = open(p)\n    return (line for line in f)\n",
    "it is given to a function that may keep it": "def f(p):\n    f = open(p)\n    register(f)\n",
    "it is stored": "def f(self, p):\n    f = open(p)\n    self.x = f\n",
    "it is put into a list that is returned": "def f(p):\n    f = open(p)\n    return [f]\n",
    "an inner function uses it": "def f(p):\n    f = open(p)\n    def g():\n        return f.read()\n    return g()\n",
    "a lambda uses it": "def f(p):\n    f = open(p)\n    return (lambda: f.read())()\n",
    "it is used after the block": "def f(p):\n    if p:\n        f = open(p)\n        f.read()\n    f.read()\n",
    "it is global": "def f(p):\n    global f\n    f = open(p)\n    f.read()\n",
    "it is the module's": "f = open(p)\ntext = f.read()\n",
    "it means another file later": "def f(p):\n    f = open(p)\n    f = open(p)\n    f.close()\n",
    "it is closed but used after": "def f(p):\n    f = open(p)\n    use(f)\n    f.close()\n    print(f)\n",
    "a loop comes back to it": "def f(p):\n    while p:\n        p = f.x\n        f = open(p)\n        f.read()\n",
    "it is assigned with something else": "def f(p):\n    f, g = open(p), 1\n    f.read()\n",
    "it is yielded": "def f(p):\n    f = open(p)\n    yield f\n",
    "there may be nothing to close": "def f(p):\n    f = open(p)\n    if not f:\n        return 0\n    f.close()\n",
    "it is asked whether it is None": "def f(p):\n    f = open(p)\n    if f is None:\n        return 0\n    f.read()\n",
    "it is raised": "def f(p):\n    f = open(p)\n    raise Problem(f)\n",
}


@pytest.mark.parametrize("case", STAYS)
def test_there_is_no_fix_where(remedied: Remedied, case: str) -> None:
    assert remedied(STAYS[case]) is None


def test_a_descriptor_is_closed_in_a_finally_and_only_there(remedied: Remedied) -> None:
    before = """
    import os
    def f(p):
        fd = os.open(p, 0)
        if os.isatty(fd):
            return None
        os.close(fd)
        return 1
    """
    after = """
    import os
    def f(p):
        fd = os.open(p, 0)
        try:
            if os.isatty(fd):
                return None
        finally:
            os.close(fd)
        return 1
    """
    assert remedied(before, "os.open", "descriptor") == textwrap.dedent(after)


def test_a_descriptor_that_a_branch_closes_too_has_no_fix(remedied: Remedied) -> None:
    before = """
    import os
    def f(p):
        fd = os.open(p, 0)
        if p:
            os.close(fd)
            return None
        os.close(fd)
    """
    assert remedied(before, "os.open", "descriptor") is None


def test_a_connection_whose_with_does_not_close_gets_a_finally(remedied: Remedied) -> None:
    before = """
    def f(p):
        db = sqlite3.connect(p)
        work(db)
        db.close()
    """
    after = """
    def f(p):
        db = sqlite3.connect(p)
        try:
            work(db)
        finally:
            db.close()
    """
    assert remedied(before, "sqlite3.connect", "database connection") == textwrap.dedent(after)


def test_an_asynchronous_session_gets_an_async_with(remedied: Remedied) -> None:
    before = """
    async def f(url):
        session = aiohttp.ClientSession()
        text = await get(session, url)
        session.close()
        return text
    """
    after = """
    async def f(url):
        async with aiohttp.ClientSession() as session:
            text = await get(session, url)
        return text
    """
    assert remedied(before, "aiohttp.ClientSession", "HTTP session") == textwrap.dedent(after)


def test_the_state_of_a_whole_module_is_left_alone(remedied: Remedied) -> None:
    before = "def f(a):\n    f = input(a)\n    f.readline()\n    f.close()\n"
    assert "with" not in (remedied(before, "input") or "")


def test_a_process_is_left_alone_since_its_with_waits(remedied: Remedied) -> None:
    assert remedied("def f(c):\n    p = Popen(c)\n    p.poll()\n", "Popen", "process") is None
