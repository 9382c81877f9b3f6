"""An editor that opens, edits, asks about and closes a file is told what is not closed, over stdin and stdout."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path

import pytest

pytest.importorskip("pygls", reason="the language server needs pygls (the extra `check`)")

from lsprotocol import types
from pygls.lsp.client import LanguageClient

LEAKING = "def first(path):\n    é = 'é'; f = open(path)\n    return f.readline() + é\n"
FIXED = "def first(path):\n    with open(path) as f:\n        return f.readline()\n"
LEAK = "def first(path):\n    f = open(path)\n    return f.readline()\n"


class Editor:
    """An editor with the server running in it; what it is told is kept by file."""

    def __init__(self) -> None:
        self.client = LanguageClient("an editor", "1")
        self.heard: dict[str, asyncio.Queue[types.PublishDiagnosticsParams]] = defaultdict(asyncio.Queue)
        self.messages: asyncio.Queue[types.ShowMessageParams] = asyncio.Queue()
        self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(lambda said: self.heard[said.uri].put_nowait(said))
        self.client.feature(types.WINDOW_SHOW_MESSAGE)(lambda said: self.messages.put_nowait(said))

    async def start(self) -> None:
        await self.client.start_io(sys.executable, "-m", "tenure", "check", "--lsp")
        await self.client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
        self.client.initialized(types.InitializedParams())

    async def stop(self) -> None:
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()  # type: ignore[no-untyped-call]


class Tab:
    """One file that is open in the editor."""

    def __init__(self, editor: Editor, file: Path) -> None:
        self.editor = editor
        self.client = editor.client
        self.uri = file.as_uri()
        self.version = 0

    def open(self, text: str) -> None:
        item = types.TextDocumentItem(self.uri, "python", self.version, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def type(self, text: str) -> None:
        """Replace the whole text, as one edit."""
        self.version += 1
        document = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        change = types.TextDocumentContentChangeWholeDocument(text)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def marks(self) -> list[types.Diagnostic]:
        """What the server says of the version that is open now."""
        while True:
            heard = await asyncio.wait_for(self.editor.heard[self.uri].get(), 60)
            if heard.version in (None, self.version):
                return list(heard.diagnostics)

    async def actions(self, line: int) -> list[types.CodeAction]:
        place = types.Range(types.Position(line, 0), types.Position(line, 0))
        asked = types.CodeActionParams(types.TextDocumentIdentifier(self.uri), place, types.CodeActionContext([]))
        answer = await self.client.text_document_code_action_async(asked)
        return [action for action in answer or [] if isinstance(action, types.CodeAction)]

    async def hover(self, line: int, character: int) -> types.Hover | None:
        where = types.HoverParams(types.TextDocumentIdentifier(self.uri), types.Position(line, character))
        return await self.client.text_document_hover_async(where)


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[asyncio.Runner, Editor]]:
    """One editor for all the sessions here, since starting a server takes a second."""

    async def made() -> Editor:
        editor = Editor()
        await editor.start()
        return editor

    with asyncio.Runner() as runner:
        editor = runner.run(made())
        yield runner, editor
        runner.run(editor.stop())


Session = Callable[[Path, Callable[[Tab], Coroutine[None, None, None]]], None]


@pytest.fixture
def session(running: tuple[asyncio.Runner, Editor]) -> Session:
    """Runs one editing session with one file."""
    runner, editor = running
    return lambda file, act: runner.run(act(Tab(editor, file)))


def test_what_is_opened_is_marked_at_the_call_with_its_story(session: Session, tmp_path: Path) -> None:
    async def act(it: Tab) -> None:
        it.open(LEAKING)
        (mark,) = await it.marks()
        assert (mark.code, mark.source) == ("never-closed", "tenure")
        # Columns count as the editor counts them, the two-byte letters before as one each.
        assert (mark.range.start, mark.range.end) == (types.Position(1, 17), types.Position(1, 27))
        assert next(related.location.range.start.line for related in mark.related_information or []) == 1

    session(tmp_path / "a.py", act)


def test_the_mark_goes_while_one_types_and_comes_back(session: Session, tmp_path: Path) -> None:
    async def act(it: Tab) -> None:
        it.open(LEAK)
        assert len(await it.marks()) == 1
        it.type(FIXED)
        assert await it.marks() == []
        it.type(LEAK)
        assert len(await it.marks()) == 1

    session(tmp_path / "a.py", act)


def test_the_preferred_action_rewrites_the_file(session: Session, tmp_path: Path) -> None:
    async def act(it: Tab) -> None:
        it.open(LEAK)
        await it.marks()
        fix, allow = await it.actions(1)
        assert (fix.title, fix.is_preferred) == ("Open it in a with block", True)
        assert fix.edit is not None
        assert fix.edit.changes is not None
        (edit,) = fix.edit.changes[it.uri]
        assert edit.range == types.Range(types.Position(1, 0), types.Position(3, 0))
        assert edit.new_text == "    with open(path) as f:\n        return f.readline()\n"
        assert allow.title == "Allow never-closed here"

    session(tmp_path / "a.py", act)


def test_the_action_that_allows_it_makes_it_quiet(session: Session, tmp_path: Path) -> None:
    async def act(it: Tab) -> None:
        it.open(LEAK)
        await it.marks()
        allow = (await it.actions(1))[-1]
        assert allow.edit is not None
        assert allow.edit.changes is not None
        (edit,) = allow.edit.changes[it.uri]
        lines = LEAK.splitlines()
        assert edit.range.start == edit.range.end == types.Position(1, len(lines[1]))
        lines[1] += edit.new_text
        it.type("\n".join(lines) + "\n")
        assert await it.marks() == []

    session(tmp_path / "a.py", act)


def test_a_place_without_a_finding_has_no_actions_and_no_page(session: Session, tmp_path: Path) -> None:
    async def act(it: Tab) -> None:
        it.open(LEAK)
        await it.marks()
        assert await it.actions(2) == []
        assert await it.hover(2, 4) is None

    session(tmp_path / "a.py", act)


def test_pointing_at_a_finding_shows_the_page_of_its_rule(session: Session, tmp_path: Path) -> None:
    async def act(it: Tab) -> None:
        it.open(LEAK)
        await it.marks()
        hover = await it.hover(1, 9)
        assert hover is not None
        assert isinstance(hover.contents, types.MarkupContent)
        assert hover.contents.value.startswith("# never-closed (TEN101)")

    session(tmp_path / "a.py", act)


def test_the_marks_go_when_the_file_is_closed(session: Session, tmp_path: Path) -> None:
    async def act(it: Tab) -> None:
        it.open(LEAK)
        assert len(await it.marks()) == 1
        it.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(it.uri)))
        assert await it.marks() == []

    session(tmp_path / "a.py", act)


def test_the_settings_of_the_project_are_obeyed_and_a_wrong_one_is_said(session: Session, tmp_path: Path) -> None:
    settings = tmp_path / "pyproject.toml"
    settings.write_text('[tool.tenure.check]\nignore = ["never-closed"]\n', "utf-8")

    async def act(it: Tab) -> None:
        it.open(LEAK)
        assert await it.marks() == []
        settings.write_text("[tool.tenure.check]\nselct = []\n", "utf-8")
        it.type(LEAK + "\n")
        assert len(await it.marks()) == 1
        message = await asyncio.wait_for(it.editor.messages.get(), 60)
        assert "tenure check uses its defaults" in message.message
        assert "selct is not a setting" in message.message

    session(tmp_path / "a.py", act)


def test_what_is_typed_letter_by_letter_is_followed_in_the_editors_own_columns(
    session: Session, tmp_path: Path
) -> None:
    async def act(it: Tab) -> None:
        it.open('def first(path):\n    s = "😀日"; f = ope(path)\n    return f.readline() + s\n')
        assert await it.marks() == []
        it.version += 1
        document = types.VersionedTextDocumentIdentifier(it.version, it.uri)
        place = types.Position(1, 22)  # the face is two units of UTF-16, one character
        change = types.TextDocumentContentChangePartial(types.Range(place, place), "n")
        it.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))
        (mark,) = await it.marks()
        assert (mark.range.start, mark.range.end) == (types.Position(1, 19), types.Position(1, 29))

    session(tmp_path / "typed.py", act)


def test_a_text_that_is_no_python_yet_is_marked_where_and_has_no_actions(session: Session, tmp_path: Path) -> None:
    async def act(it: Tab) -> None:
        it.open("x = 1\ndef first((:\n")
        (mark,) = await it.marks()
        assert (mark.code, mark.range.start.line) == ("unreadable", 1)
        assert await it.actions(1) == []

    session(tmp_path / "half.py", act)


def test_a_file_that_is_neither_open_nor_there_is_passed_over(session: Session, tmp_path: Path) -> None:
    async def act(it: Tab) -> None:
        it.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(it.uri)))
        assert await it.actions(0) == []
        it.open(LEAK)
        assert len(await it.marks()) == 1

    session(tmp_path / "gone.py", act)


def test_a_server_whose_editor_goes_away_ends_without_a_word() -> None:
    program = [sys.executable, "-m", "tenure", "check", "--lsp"]
    done = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
