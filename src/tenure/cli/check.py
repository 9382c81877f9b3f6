"""``tenure check``: find what is not closed on every path."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tenure import __version__
from tenure.check import engine, pages, settings
from tenure.check.baseline import Baseline, BaselineError, covers
from tenure.check.config import ConfigError
from tenure.check.engine import Report
from tenure.check.finding import CERTAINTIES, Finding
from tenure.check.fingerprint import fingerprints
from tenure.check.fix.edit import Fix, unified
from tenure.check.lines import read_lines, relative
from tenure.check.report import FORMATS, Answer
from tenure.check.report.style import Style
from tenure.check.report.text import coloured, coloured_page, count, statistics
from tenure.check.settings import Settings
from tenure.check.sharing import WorkerLost
from tenure.cli import screen
from tenure.cli.ending import REFUSED, Refused

if TYPE_CHECKING:
    from tenure.check.fix.rewrite import Rewrite

__all__ = ["UNFORESEEN", "add_arguments", "mistakes", "run"]

#: Exit statuses: nothing found; something found.
CLEAN: Final = 0
FOUND: Final = 1

UNFORESEEN: Final = "this is a mistake in tenure itself; nothing was checked"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say which arguments the command takes."""
    parser.epilog = "Exit status: 0 nothing found, 1 something found, 2 the request could not be carried out."
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files and folders (default: this folder)")
    _add_output(parser.add_argument_group("what is shown"))
    _add_choice(parser.add_argument_group("what is looked for"))
    _add_fixing(parser.add_argument_group("what is done about it"))
    _add_instead(parser.add_argument_group("instead of checking"))


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--format", choices=FORMATS, default="text", help="form of the report (default: text)")
    group.add_argument("--output", type=Path, metavar="FILE", help="write the report there")
    group.add_argument("--statistics", action="store_true", help="count the findings by rule; name none of them")
    group.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="(default: auto)")
    group.add_argument("--quiet", action="store_true", help="no progress on long runs")


def _add_choice(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--select", type=_words, default=[], metavar="RULE,…", help="only these rules, by name or code")
    group.add_argument("--ignore", type=_words, default=[], metavar="RULE,…", help="not these; TEN1 means all TEN1xx")
    group.add_argument("--certainty", choices=CERTAINTIES, help="the least sure finding to report (default: likely)")
    group.add_argument("--config", type=Path, metavar="FILE", help="this pyproject.toml rather than the nearest")
    group.add_argument("--baseline", type=Path, metavar="FILE", help="do not report the findings this file knows")
    group.add_argument("--jobs", type=_whole, metavar="N", help="processes (default: one a core on large runs)")
    group.add_argument("--no-cache", action="store_true", help="neither use nor keep results of earlier runs")


def _add_fixing(group: argparse._ArgumentGroup) -> None:
    one = group.add_mutually_exclusive_group()
    one.add_argument("--fix", action="store_true", help="rewrite what can be rewritten with certainty")
    one.add_argument("--diff", action="store_true", help="show what --fix would change, and change nothing")
    one.add_argument("--write-baseline", action="store_true", help="write what is found now to the baseline file")


def _add_instead(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--explain", metavar="RULE", help="show the page of a rule")
    group.add_argument("--rules", action="store_true", help="list the rules")
    group.add_argument("--problem-matcher", action="store_true", help="what GitHub needs to read the text report")
    group.add_argument("--lsp", action="store_true", help="serve an editor over standard input and output")


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def mistakes() -> tuple[type[Exception], ...]:
    """What an operator can put right."""
    return ConfigError, BaselineError, WorkerLost, pages.UnknownRule


def run(args: argparse.Namespace) -> int:
    """Do it; the answer is the exit status."""
    for wish, carry_out in _INSTEAD.items():
        if getattr(args, wish) not in (None, False):
            return carry_out(args)
    return _check(args)


def _explain(args: argparse.Namespace) -> int:
    style = Style(screen.has_colour(sys.stdout, args.color))
    print(coloured_page(pages.page(pages.find(args.explain)), style), end="")
    return CLEAN


def _rules(args: argparse.Namespace) -> int:
    print(pages.table_of_rules(), end="")
    return CLEAN


def _problem_matcher(args: argparse.Namespace) -> int:
    print((files("tenure.check.report") / "problem-matcher.json").read_text("utf-8"), end="")
    return CLEAN


def _serve(args: argparse.Namespace) -> int:
    try:
        from tenure.check.editor.server import serve
    except ModuleNotFoundError as error:
        raise _lacking("--lsp", error) from None
    serve(__version__)
    return CLEAN


_INSTEAD: Final = {"explain": _explain, "rules": _rules, "problem_matcher": _problem_matcher, "lsp": _serve}


def _lacking(flag: str, error: ModuleNotFoundError) -> Refused:
    return Refused(f"{flag} needs {error.name}, which is not installed: pip install 'tenure[check]'")


def _check(args: argparse.Namespace) -> int:
    told = _told(args)
    if args.fix or args.diff:
        _import_fixer("--fix" if args.fix else "--diff")
    report = _report(args, told)
    if args.write_baseline:
        return _write_baseline(args, report, told)
    report = _without_known(args, report, told)
    if args.fix or args.diff:
        return _fix(args, told, report)
    _show(args, _answer(args, report))
    return FOUND if report.findings else CLEAN


def _told(args: argparse.Namespace) -> Settings:
    """What pyproject.toml and the command line say together."""
    if args.config and not args.config.is_file():
        raise Refused(f"there is no file {args.config} to read settings from")
    told = settings.read(args.config or settings.nearest_pyproject(Path.cwd()))
    config = settings.chosen(told.config, args.select, args.ignore, args.certainty)
    return Settings(config, args.baseline or told.baseline, args.jobs or told.jobs)


def _paths(args: argparse.Namespace) -> list[Path]:
    return args.paths or [Path()]


def _report(args: argparse.Namespace, told: Settings) -> Report:
    paths = _paths(args)
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise Refused(f"there is no file or folder {', '.join(missing)}")
    line = screen.ProgressLine(sys.stderr)
    try:
        with engine.undisturbed(last=True):
            return engine.check(
                paths,
                told.config,
                progress=None if args.quiet else line,
                jobs=told.jobs or os.cpu_count() or 1,
                cache=None if args.no_cache else settings.default_cache(),
            )
    finally:
        line.wipe()


def _answer(args: argparse.Namespace, report: Report, fixes: Mapping[Finding, Fix] | None = None) -> Answer:
    """The report with what the reader's screen can show; a file has no colours and all characters."""
    return Answer(
        report,
        root=Path.cwd(),
        version=__version__,
        fixes=fixes or {},
        colour=args.output is None and screen.has_colour(sys.stdout, args.color),
        width=screen.width(sys.stdout),
        ascii=args.output is None and screen.lacks_line_art(sys.stdout),
    )


def _show(args: argparse.Namespace, answer: Answer) -> None:
    render = statistics if args.statistics and args.format == "text" else FORMATS[args.format]
    text = render(answer)
    if args.output:
        args.output.write_text(text, "utf-8", errors="backslashreplace")  # a file name may be any bytes
    else:
        print(text, end="", flush=True)


def _from_here(path: Path) -> str:
    return relative(str(path), Path.cwd())


def _names(report: Report, baseline: Path) -> dict[Finding, str]:
    """Fingerprints as the baseline file counts them: from its own folder, wherever the command is run."""
    return fingerprints(report.findings, read_lines, baseline.resolve().parent)


def _write_baseline(args: argparse.Namespace, report: Report, told: Settings) -> int:
    path = told.baseline
    if path is None:
        raise Refused("--write-baseline needs to know the file: give --baseline FILE, or baseline in pyproject.toml")
    root = path.resolve().parent
    baseline = Baseline.of(_names(report, path), root)
    if path.exists():
        baseline = baseline.keeping(Baseline.read(path), covers(_paths(args), root))
    baseline.write(path)
    print(f"{_from_here(path)} now knows {count(len(baseline.known), 'finding')}")
    return CLEAN


def _without_known(args: argparse.Namespace, report: Report, told: Settings) -> Report:
    """The report without what the baseline knows."""
    if told.baseline is None:
        return report
    known, names = Baseline.read(told.baseline), _names(report, told.baseline)
    gone = known.gone(names, covers(_paths(args), told.baseline.resolve().parent))
    if gone:
        advice = "--write-baseline takes them out"
        path = _from_here(told.baseline)
        print(f"{path}: {count(gone, 'finding')} it knows cannot be found any more; {advice}", file=sys.stderr)
    return dataclasses.replace(report, findings=known.new(names))


def _import_fixer(flag: str) -> None:
    """Say at once, not after a long run, that what a fix needs is not installed."""
    try:
        from tenure.check.fix import rewrite  # noqa: F401
    except ModuleNotFoundError as error:
        raise _lacking(flag, error) from None


def _fix(args: argparse.Namespace, told: Settings, report: Report) -> int:
    from tenure.check.fix import rewrite

    if args.format != "text" and not args.fix:
        offers = rewrite.offers(report.findings, told.config)
        _show(args, _answer(args, report, offers))
        return FOUND if report.findings else CLEAN
    rewrites = rewrite.rewrite_files(report.findings, told.config)
    return (_write if args.fix else _show_diff)(args, report, rewrites)


def _show_diff(args: argparse.Namespace, report: Report, rewrites: Sequence[Rewrite]) -> int:
    """Show what --fix would change, and change nothing."""
    style = Style(screen.has_colour(sys.stdout, args.color))
    for each in rewrites:
        diff = unified(each.before, each.after, relative(each.path, Path.cwd()))
        print(coloured(diff, style), end="", flush=True)
    print(f"--fix would fix {_share(report, rewrites)}", file=sys.stderr)
    return FOUND if report.findings else CLEAN


def _write(args: argparse.Namespace, report: Report, rewrites: Sequence[Rewrite]) -> int:
    """Write the fixed files, and report what is left to a person; one that cannot be written stays as it is."""
    written, refused = [], 0
    for each in rewrites:
        try:
            each.write()
            written.append(each)
        except OSError as error:
            refused += 1
            print(f"tenure check: {_from_here(Path(each.path))} cannot be written: {error.strerror}", file=sys.stderr)
    left = tuple(finding for each in written for finding in each.left)
    _show(args, _answer(args, dataclasses.replace(report, findings=left)))
    print(f"fixed {_share(report, written)}", file=sys.stderr)
    return REFUSED if refused else FOUND if left else CLEAN


def _share(report: Report, rewrites: Sequence[Rewrite]) -> str:
    return f"{sum(each.fixed for each in rewrites)} of {count(len(report.findings), 'finding')}"
