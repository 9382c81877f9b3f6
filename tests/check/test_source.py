"""A file is read as Python reads it, or it is said why it cannot be, and where."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import pytest

from tenure.check import source
from tenure.check.source import Unreadable, content, decode, parse


def test_a_coding_comment_is_obeyed() -> None:
    assert decode("# coding: latin-1\né\n".encode("latin-1")) == ("# coding: latin-1\né\n", "iso-8859-1")


def test_a_byte_order_mark_is_no_character() -> None:
    assert decode(b"\xef\xbb\xbfx = 1\n") == ("x = 1\n", "utf-8-sig")


@pytest.mark.parametrize(
    ("raw", "line", "why"),
    [
        (b"# coding: no-such-thing\n", 1, "unknown encoding: no-such-thing"),
        (b"# coding: undefined\nx = 1\n", 1, "undefined encoding"),
        (b"# coding: rot13\nx = 1\n", 1, "is not a text encoding"),
        (b"# coding: utf-8\n\n\nx = '\xe9'\n", 4, "can't decode byte 0xe9"),
        ("x = 1\n".encode("utf-16"), 1, "it is UTF-16, which Python does not read as a program; save it as UTF-8"),
        ("x = 1\n".encode("utf-32"), 1, "it is UTF-32, which"),
    ],
)
def test_an_encoding_that_does_not_fit_is_told_with_its_line(raw: bytes, line: int, why: str) -> None:
    with pytest.raises(Unreadable, match=f"its encoding cannot be read: .*{why}") as caught:
        decode(raw)
    assert caught.value.line == line


@pytest.mark.parametrize("codec", ["punycode", "idna", "utf-7", "unicode_escape", "base64", "utf-16", "hex", "mbcs"])
def test_no_encoding_that_a_comment_names_is_worse_than_unreadable(codec: str) -> None:
    raw = f"# coding: {codec}\nx = 1-a-\n".encode() + bytes(range(0x20, 0x100))
    with contextlib.suppress(Unreadable):
        assert isinstance(decode(raw)[0], str)


def test_a_null_is_told_with_its_line() -> None:
    with pytest.raises(Unreadable, match="it holds a null character") as caught:
        parse("x = 1\ny = '\0'\n", "a.py")
    assert caught.value.line == 2


def test_code_that_python_gives_up_on_is_nested_too_deeply() -> None:
    with pytest.raises(Unreadable, match=r"nested|too many"):
        parse(f"x = {'-' * 100_000}1\n", "a.py")


def test_a_line_for_a_newer_python_is_told_with_that_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "newer_python", lambda line: "3.99" if line == "future x\n" else "")
    here = ".".join(map(str, sys.version_info[:2]))
    with pytest.raises(Unreadable, match=f"; it looks like Python 3.99, and this is Python {here}$") as caught:
        parse("x = 1\nfuture x\n", "a.py")
    assert caught.value.line == 2


@pytest.mark.filterwarnings("error")
def test_what_python_warns_of_in_a_file_is_not_said_here() -> None:
    parse('x = "\\d"\n', "a.py")
    decode(b"# coding: unicode_escape\nx = '\\d'\n")


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="it cannot be opened: No such file or directory"):
        content(tmp_path / "gone.py")


def test_a_file_that_may_not_be_opened_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    file = tmp_path / "secret.py"
    file.write_text("x = 1\n", "utf-8")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(Unreadable, match="it cannot be opened: Permission denied"):
        content(file)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_no_file_is_not_waited_for(make: object, tmp_path: Path) -> None:
    place = tmp_path / "odd.py"
    make(place)  # type: ignore[operator]
    with pytest.raises(Unreadable, match="it is a pipe, a device or a folder, not a file"):
        content(place)


def test_what_is_too_long_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_BYTES", 3)
    (tmp_path / "long.py").write_bytes(b"x = 1\n")
    with pytest.raises(Unreadable, match="it has more than 0 MB"):
        content(tmp_path / "long.py")
