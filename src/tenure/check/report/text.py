"""The report for people: a sentence, its place, and the story with the lines it passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from tenure.check.finding import Finding
from tenure.check.lines import split
from tenure.check.report.answer import Answer
from tenure.check.report.excerpt import excerpt
from tenure.check.report.style import Style, printable

__all__ = ["coloured", "coloured_page", "count", "render", "statistics"]


def render(answer: Answer) -> str:
    """Every finding with its excerpt, and how many there are."""
    style = Style(answer.colour, answer.ascii)
    blocks = ["\n".join(_block(finding, answer, style)) + "\n" for finding in answer.report.findings]
    return "\n".join([*blocks, f"{_summary(answer, style)}\n{_advice(answer, style)}"])


def _block(finding: Finding, answer: Answer, style: Style) -> Iterator[str]:
    place = style.paint("path", f"{printable(answer.shown(finding))}:{finding.line}:{finding.column}:")
    rule = style.paint(finding.certainty, finding.rule)
    yield f"{place} {style.paint('dim', finding.code)} {rule}: {printable(finding.message)}"
    yield from excerpt(finding, answer.lines(finding.path), style, answer.width)
    yield style.paint("dim", f"   why, and what to do: tenure check --explain {finding.rule}")


def _advice(answer: Answer, style: Style) -> str:
    """What to do next, where something was found."""
    return style.paint("dim", "what can be mended for you: tenure check --diff\n") if answer.report.findings else ""


def _summary(answer: Answer, style: Style) -> str:
    report = answer.report
    more = f"\n{style.paint('possible', _unfinished(report.unfinished))}" if report.unfinished else ""
    read = f"{count(report.files, 'file')}, {count(report.lines, 'line')}, {report.seconds:.1f} s"
    if not report.findings:
        return style.paint("good", f"nothing found ({read})") + more
    places = len({finding.path for finding in report.findings})
    found = f"{count(len(report.findings), 'finding')} in {count(places, 'file')}"
    return f"{style.paint('path', found)} ({read}){more}"


def _unfinished(places: int) -> str:
    """A bound that was hit is not a pass."""
    them = "it" if places == 1 else "them"
    return f"{count(places, 'place')} not followed to the end: --certainty possible names {them}"


def statistics(answer: Answer) -> str:
    """How often each rule spoke, the loudest first."""
    loudest = Counter((finding.rule, finding.code) for finding in answer.report.findings).most_common()
    style = Style(answer.colour, answer.ascii)
    rows = [f"{number:>6}  {style.paint('dim', code)}  {rule}\n" for (rule, code), number in loudest]
    return "".join([*rows, f"{_summary(answer, style)}\n"])


_DIFF_COLOURS: Final = (("+++", "path"), ("---", "path"), ("@@", "hunk"), ("+", "added"), ("-", "removed"))


def coloured(diff: str, style: Style) -> str:
    """A unified diff in its usual colours, where there are any."""
    return "".join(style.paint(_diff_colour(line), line) if line.strip() else line for line in split(diff))


def coloured_page(page: str, style: Style) -> str:
    """A page of Markdown with its headings and its code set off, where there are colours; else as it is."""
    shown, in_code = [], False
    for line in split(page):
        fence = line.startswith("```")
        in_code = in_code != fence
        name = "dim" if fence else "frame" if in_code else "path" if line.startswith("#") else "plain"
        shown.append(style.paint(name, line) if line.strip() else line)
    return "".join(shown)


def _diff_colour(line: str) -> str:
    return next((colour for start, colour in _DIFF_COLOURS if line.startswith(start)), "plain")


def count(number: int, noun: str) -> str:
    """``1 file``, ``2 files``, ``12,345 lines``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
