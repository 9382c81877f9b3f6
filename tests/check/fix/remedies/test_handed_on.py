"""What is returned or kept in the end is closed, and the exception raised again, where one comes first."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

Remedied = Callable[..., str | None]


def test_what_is_returned_is_closed_on_an_exception(remedied: Remedied) -> None:
    before = """
    def f(p):
        f = open(p, "rb")
        if f.read(2) != b"PK":
            raise ValueError("bad magic")
        return f
    """
    after = """
    def f(p):
        f = open(p, "rb")
        try:
            if f.read(2) != b"PK":
                raise ValueError("bad magic")
        except BaseException:
            f.close()
            raise
        return f
    """
    assert remedied(before) == textwrap.dedent(after)


def test_a_handler_for_some_exceptions_becomes_one_for_all(remedied: Remedied) -> None:
    before = """
    def f(addr, tune):
        s = socket.socket()
        try:
            s.connect(addr)
            tune(s.fileno())
        except ConnectionRefusedError:
            s.close()
            raise
        return s
    """
    after = """
    def f(addr, tune):
        s = socket.socket()
        try:
            s.connect(addr)
            tune(s.fileno())
        except BaseException:
            s.close()
            raise
        return s
    """
    assert remedied(before, "socket.socket", "socket") == textwrap.dedent(after)


def test_what_the_object_keeps_is_closed_when_its_construction_fails(remedied: Remedied) -> None:
    before = """
    class Tar:
        def __init__(self, path):
            self.fh = open(path, "rb")
            if self.fh.read(3) != b"tar":
                raise OSError("bad tar")
    """
    after = """
    class Tar:
        def __init__(self, path):
            self.fh = open(path, "rb")
            try:
                if self.fh.read(3) != b"tar":
                    raise OSError("bad tar")
            except BaseException:
                self.fh.close()
                raise
    """
    assert remedied(before) == textwrap.dedent(after)


def test_an_attribute_that_is_set_anew_has_no_fix(remedied: Remedied) -> None:
    before = """
    class A:
        def __init__(self, p):
            self.f = open(p)
            self.f = wrap(self.f)
    """
    assert remedied(before) is None


def test_a_handler_for_all_means_that_somebody_has_thought_of_it(remedied: Remedied) -> None:
    before = """
    class A:
        def __init__(self, p):
            self.f = open(p)
            try:
                self.f.read()
            except:
                self.shut()
                raise
    """
    assert remedied(before) is None


def test_two_alike_are_opened_on_an_exit_stack(remedied: Remedied) -> None:
    before = '''
    """A module."""
    from __future__ import annotations
    import socket

    class Duo:
        def __enter__(self):
            self.a = socket.create_connection(("h", 1))
            self.b = socket.create_connection(("h", 2))
            return self
    '''
    after = '''
    """A module."""
    from __future__ import annotations
    import contextlib
    import socket

    class Duo:
        def __enter__(self):
            with contextlib.ExitStack() as stack:
                self.a = stack.enter_context(socket.create_connection(("h", 1)))
                self.b = stack.enter_context(socket.create_connection(("h", 2)))
                stack.pop_all()
            return self
    '''
    assert remedied(before, "socket.create_connection", "socket") == textwrap.dedent(after)


def test_the_block_of_a_connection_closes_after_the_transaction(remedied: Remedied) -> None:
    before = """
    import sqlite3
    def f(p):
        with sqlite3.connect(p) as db:
            db.execute("select 1")
    """
    after = """
    import contextlib
    import sqlite3
    def f(p):
        with contextlib.closing(sqlite3.connect(p)) as db, db:
            db.execute("select 1")
    """
    assert remedied(before, "sqlite3.connect", "database connection") == textwrap.dedent(after)
