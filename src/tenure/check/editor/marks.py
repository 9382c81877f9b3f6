"""A finding as an editor shows it: a mark under the code, its story as places to jump to, its fix as an action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lsprotocol import types
from pygls.workspace import ServerTextPosition, ServerTextRange, TextDocument

from tenure.check.finding import Finding
from tenure.check.fix.edit import Edit

__all__ = ["allowing", "diagnostic", "edits", "span"]

_SEVERITIES: Final = {"certain": types.DiagnosticSeverity.Error, "likely": types.DiagnosticSeverity.Warning}


def diagnostic(finding: Finding, document: TextDocument) -> types.Diagnostic:
    """The finding with the steps of its story as related places."""
    return types.Diagnostic(
        range=span(finding, document),
        message=finding.message,
        severity=_SEVERITIES.get(finding.certainty, types.DiagnosticSeverity.Information),
        code=finding.rule,
        source="tenure",
        related_information=[
            types.DiagnosticRelatedInformation(types.Location(document.uri, _line(step.line, document)), step.text)
            for step in finding.story
        ],
    )


def span(finding: Finding, document: TextDocument) -> types.Range:
    """What to underline: the acquiring call where it is known, else the line from the finding's column on."""
    (start_line, start), (end_line, end) = finding.facts.call_start, finding.facts.call_end
    if not start_line:
        whole = _text(finding.line, document)
        return _range((finding.line, min(finding.column - 1, len(whole))), (finding.line, len(whole)), document)
    first, last = _text(start_line, document).encode()[:start], _text(end_line, document).encode()[:end]
    return _range((start_line, len(first.decode())), (end_line, len(last.decode())), document)


def _text(line: int, document: TextDocument) -> str:
    lines = document.lines
    return lines[line - 1].rstrip("\r\n") if 0 < line <= len(lines) else ""


def _line(line: int, document: TextDocument) -> types.Range:
    text = _text(line, document)
    return _range((line, len(text) - len(text.lstrip())), (line, len(text)), document)


def _range(start: tuple[int, int], end: tuple[int, int], document: TextDocument) -> types.Range:
    """A range from lines counted from 1 and characters from 0, in the units the editor counts in."""
    first, last = (ServerTextPosition(max(0, line - 1), column) for line, column in (start, end))
    return document.range_to_client_units(ServerTextRange(first, last))


def edits(changes: Sequence[Edit]) -> list[types.TextEdit]:
    """A fix as the editor carries it out."""
    return [
        types.TextEdit(
            types.Range(types.Position(change.line - 1, 0), types.Position(change.end_line - 1, 0)), change.text
        )
        for change in changes
    ]


def allowing(finding: Finding, document: TextDocument) -> types.TextEdit:
    """The comment that says the finding is meant to be so, at the end of its line."""
    end = len(_text(finding.line, document))
    place = _range((finding.line, end), (finding.line, end), document)
    return types.TextEdit(place, f"  # tenure: allow {finding.rule} (say why)")
