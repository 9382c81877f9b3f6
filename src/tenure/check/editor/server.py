"""The language server: checks a file when it is opened, saved, or has been left alone for a moment while typing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from tenure.check import pages, settings
from tenure.check.config import Config, ConfigError
from tenure.check.editor import marks
from tenure.check.engine import check_source
from tenure.check.finding import Finding
from tenure.check.fix import rewrite

__all__ = ["Server", "make", "serve"]

#: How long a file must be left alone before it is checked again while typing, in seconds.
PAUSE: Final = 0.25


@dataclass(frozen=True)
class _Checked:
    """A version of a document, and what was found in it."""

    version: int | None
    text: str
    config: Config
    findings: tuple[Finding, ...]


class Server(LanguageServer):
    """Remembers what was found in each open document, and which checks are about to begin."""

    def __init__(self, version: str, pause: float = PAUSE) -> None:
        super().__init__("tenure", version)
        self.pause = pause
        self.checked: dict[str, _Checked] = {}
        self.waiting: dict[str, asyncio.Task[None]] = {}
        self.complained: set[str] = set()

    def soon(self, uri: str, pause: float) -> None:
        """Check a document once it has been left alone for ``pause`` seconds."""
        self.forget(uri)
        self.waiting[uri] = asyncio.ensure_future(self._later(uri, pause))

    def forget(self, uri: str) -> None:
        """Begin no check that has not begun."""
        task = self.waiting.pop(uri, None)
        if task is not None:
            task.cancel()

    async def _later(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        document = self.workspace.get_text_document(uri)
        try:
            version, text, config = document.version, document.source, self._config(document.path)
        except (OSError, UnicodeDecodeError):  # not open here, and not to be read from the disk either
            return
        findings = await asyncio.to_thread(check_source, text, document.path, config)
        if self.workspace.get_text_document(uri).version == version:
            self.checked[uri] = _Checked(version, text, config, findings)
            self.show(document, version, findings)

    def show(self, document: TextDocument, version: int | None, findings: tuple[Finding, ...]) -> None:
        """Tell the editor what to underline."""
        found = [marks.diagnostic(finding, document) for finding in findings]
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(document.uri, found, version))

    def _config(self, path: str) -> Config:
        """The settings of the file's project; the defaults, and a message, where they cannot be read."""
        try:
            return settings.read(settings.nearest_pyproject(Path(path).parent)).config
        except ConfigError as error:
            if str(error) not in self.complained:
                self.complained.add(str(error))
                message = f"tenure check uses its defaults: {error}"
                self.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))
            return Config()

    def at(self, uri: str, place: types.Range) -> list[Finding]:
        """The findings of a document whose lines meet ``place``, if it has not changed since."""
        checked = self.checked.get(uri)
        document = self.workspace.get_text_document(uri)
        if checked is None or checked.version != document.version:
            return []
        spans = [(finding, marks.span(finding, document)) for finding in checked.findings]
        return [f for f, span in spans if span.start.line <= place.end.line and place.start.line <= span.end.line]


def make(version: str, pause: float = PAUSE) -> Server:
    """A server that answers an editor; nothing runs yet."""
    server = Server(version, pause)
    for feature, answer in _FEATURES.items():
        server.feature(feature, _OPTIONS.get(feature))(answer)  # type: ignore[type-var]
    return server


def serve(version: str) -> None:
    """Answer one editor over standard input and output until it says goodbye."""
    make(version).start_io()


async def _opened(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    server.soon(params.text_document.uri, 0)


async def _changed(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    server.soon(params.text_document.uri, server.pause)


async def _saved(server: Server, params: types.DidSaveTextDocumentParams) -> None:
    server.soon(params.text_document.uri, 0)


async def _closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    server.forget(uri)
    server.checked.pop(uri, None)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


async def _actions(server: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri = params.text_document.uri
    document = server.workspace.get_text_document(uri)
    found = server.at(uri, params.range)
    fixes = [await asyncio.to_thread(_fix, server.checked[uri], finding, document) for finding in found]
    allowances = [
        _action(f"Allow {finding.rule} here", finding, document, [marks.allowing(finding, document)])
        for finding in found
        if finding.rule != "unreadable"  # a comment in it would not be read
    ]
    return [*(fix for fix in fixes if fix is not None), *allowances]


def _fix(checked: _Checked, finding: Finding, document: TextDocument) -> types.CodeAction | None:
    fix = rewrite.offer(checked.text, finding, checked.config)
    if fix is None:
        return None
    action = _action(fix.title.capitalize(), finding, document, marks.edits(fix.edits))
    action.is_preferred = True
    return action


def _action(title: str, finding: Finding, document: TextDocument, changes: list[types.TextEdit]) -> types.CodeAction:
    return types.CodeAction(
        title=title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[marks.diagnostic(finding, document)],
        edit=types.WorkspaceEdit(changes={document.uri: list(changes)}),
    )


async def _hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    """The page of the rule whose finding is pointed at."""
    found = server.at(params.text_document.uri, types.Range(params.position, params.position))
    if not found:
        return None
    text = "\n\n".join(dict.fromkeys(pages.page(pages.find(finding.rule)) for finding in found))
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text))


_FEATURES: Final = {
    types.TEXT_DOCUMENT_DID_OPEN: _opened,
    types.TEXT_DOCUMENT_DID_CHANGE: _changed,
    types.TEXT_DOCUMENT_DID_SAVE: _saved,
    types.TEXT_DOCUMENT_DID_CLOSE: _closed,
    types.TEXT_DOCUMENT_CODE_ACTION: _actions,
    types.TEXT_DOCUMENT_HOVER: _hover,
}

_OPTIONS: Final = {
    types.TEXT_DOCUMENT_CODE_ACTION: types.CodeActionOptions([types.CodeActionKind.QuickFix]),
}
