"""``tenure litmus``: what can be seen of a small Go program with finalizers, under every schedule."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tenure.cli.ending import Refused
from tenure.cli.screen import SearchLine
from tenure.explore import Answer as Explored
from tenure.explore import Bounds, Schedule, Story, UnreadableSchedule, Verdict, replay
from tenure.explore.report import TooManyNodes, as_mermaid, as_page, story_as_data, story_as_text
from tenure.golang import fate
from tenure.golang.answer import BOUNDS, Answer, UnknownOutcome, alone, answer, as_data, as_text
from tenure.golang.campaign import Report, campaign
from tenure.golang.oracle import Comparison, applies, as_lines, compare, records_text
from tenure.golang.picture import DrawnMachine
from tenure.golang.rules import DEFAULT, RULES
from tenure.golang.suite import Kept, expectation, kept_at, rules_for, shipped, strays
from tenure.golang.syntax import Litmus
from tenure.golang.tokens import LitmusError
from tenure.golang.toolchain import BuildFailed, Toolchain
from tenure.golang.wording import NotInGo

__all__ = ["UNFORESEEN", "add_arguments", "mistakes", "run"]

_EXIT: Final = {Verdict.HOLDS: 0, Verdict.BROKEN: 1, Verdict.UNFINISHED: 3}
UNFORESEEN: Final = "this is a mistake in tenure itself; there is no answer"
_FORMATS: Final = ("text", "json", "html", "mermaid", "svg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The tests, the rules, what to show of the answer, and how to hold it against real Go."""
    parser.epilog = "exit status: 0 holds, 1 broken or disagreeing, 2 unreadable, 3 unfinished"
    add = parser.add_argument
    add("tests", nargs="*", metavar="TEST", help="a .litmus file, or the name of a shipped test")
    add("--all", action="store_true", help="every shipped test, against its expected answers and what was seen of it")
    add("--rules", choices=RULES, help=f"whose rules (default: {DEFAULT}, or the newest the test is for)")
    add("--states", type=_many, default=BOUNDS.states, metavar="N", help="visit no more states; then it is unfinished")
    add("--seconds", type=float, metavar="S", help="search no longer; then it is unfinished")
    add("--replay", metavar="SCHEDULE", help="run this one schedule and tell it step by step")
    add("--witness", metavar="OUTCOME", help="tell the way to this outcome, instead of to what the question looks for")
    add("--fate", metavar="OBJECT", help="tell what becomes of an object on that way: reachable, queued, running, …")
    add("--format", choices=_FORMATS, default="text", help="html: a page with every step; svg: of --fate")
    add("-o", "--output", type=Path, metavar="FILE", help="write there (default: standard output)")
    add("--accept", action="store_true", help="write the answers to the .expected file beside each test")
    add("--go", nargs="?", const="go", metavar="PATH", help="run real Go and compare: seen must be allowed")
    add("--runs", type=_many, default=10, metavar="N", help="how often to run each program (default: 10)")
    add("--record", action="store_true", help="with --go: keep what was seen in the .seen file beside each test")
    add("--fuzz", type=_many, metavar="N", help="with --go: compare N random programs, and shrink what disagrees")
    add("--seed", type=int, default=0, metavar="S", help="the first random program (default: 0)")


def _many(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def mistakes() -> tuple[type[Exception], ...]:
    """What an operator can put right."""
    return LitmusError, UnreadableSchedule, NotInGo, TooManyNodes, BuildFailed, UnknownOutcome


def run(args: argparse.Namespace) -> int:
    """Answer each test; the exit status is the worst answer's."""
    if args.fuzz is not None:
        return _fuzz(args)
    tests = list(shipped()) if args.all else [_found(name) for name in args.tests]
    for wrong, why in _quarrels(tests, args):
        if wrong:
            raise Refused(why)
    if args.accept:
        for kept in tests:
            kept.path.with_suffix(".expected").write_text(expectation(kept.test), "utf-8")
    if args.go is not None:
        return _against_go(tests, args)
    if args.replay is not None:
        return max(_replay(kept, args) for kept in tests)
    return _check(tests) if args.all else max(_answer(kept, args) for kept in tests)


def _quarrels(tests: Sequence[Kept], args: argparse.Namespace) -> list[tuple[bool, str]]:
    """What cannot be asked, or not together, and why."""
    many, wanted = len(tests) > 1, args.rules
    unfit = [kept.test for kept in tests if wanted and not applies(kept.test, wanted)]
    return [
        (not tests, "no test: name a .litmus file or a shipped test, or say --all"),
        (bool(args.all and args.tests), "--all asks every shipped test; leave the names out"),
        (bool(args.all and wanted), "--all asks every test under all rules it is for; leave --rules out"),
        (args.record and args.go is None, "--record keeps what real Go shows: say --go, too"),
        (many and args.output is not None, "--output takes one answer: name one test"),
        (many and bool(args.replay or args.witness or args.fate), "--replay, --witness and --fate are of one test"),
        (args.format == "svg" and args.fate is None, "--format svg draws what becomes of an object: say --fate, too"),
        *((True, f"{test.name} is not for {wanted}, but for {_versions(test)}") for test in unfit),
    ]


def _versions(test: Litmus) -> str:
    return ", ".join(rules for rules in RULES if applies(test, rules))


def _found(name: str) -> Kept:
    path = Path(name)
    if path.suffix == ".litmus" or path.exists():
        return kept_at(path)
    for kept in shipped():
        if kept.test.name == name:
            return kept
    raise Refused(f"{name}: no such file, and no shipped test of that name (tenure litmus --all lists them)")


def _answer(kept: Kept, args: argparse.Namespace) -> int:
    line = SearchLine(sys.stderr)
    rules, bounds = args.rules or rules_for(kept.test), Bounds(states=args.states, seconds=args.seconds)
    found = answer(kept.test, rules, bounds, witness=args.witness, progress=line)
    line.wipe()
    if args.fate is not None:
        text = _fate(found, args)
    elif args.format == "text":
        text = as_text(found)
        if found.story is not None:
            threads = found.machine.threads
            text += "\n\n" + story_as_text(found.story, threads, _again(kept, args))
    elif args.format == "json":
        text = json.dumps(as_data(found))
    else:
        explored = replace(found.explored, verdict=found.verdict)
        text = _pictured(found.machine, explored, found.story, args.format)
    _write(text, args.output)
    return _EXIT[found.verdict]


def _fate(found: Answer, args: argparse.Namespace) -> str:
    machine, witnesses = found.machine, [outcome.witness for outcome in found.explored.outcomes.values()]
    if args.fate not in machine.names.objects:
        known = ", ".join(sorted(machine.names.objects)) or "none"
        raise Refused(f"no object is called '{args.fate}'; there is {known}")
    story = found.story or (witnesses[0] if len(witnesses) == 1 else None)
    if story is None:
        raise Refused(f"there are {len(witnesses)} outcomes; choose one with --witness")
    told = fate.changes(machine, story, args.fate)
    return fate.as_svg(told, args.fate) if args.format == "svg" else fate.as_text(told)


def _replay(kept: Kept, args: argparse.Namespace) -> int:
    machine = DrawnMachine(kept.test, RULES[args.rules or rules_for(kept.test)])
    story = replay(machine, Schedule.parse(args.replay))
    if args.format == "text":
        text = story_as_text(story, machine.threads, _again(kept, args))
    elif args.format == "json":
        text = json.dumps(story_as_data(story))
    else:
        text = _pictured(machine, alone(machine, story), story, args.format)
    _write(text, args.output)
    return 0


def _again(kept: Kept, args: argparse.Namespace) -> str:
    """The command that asks for this test again."""
    name = next((name for name in args.tests if name in (str(kept.path), kept.test.name)), kept.test.name)
    return " ".join(["tenure litmus", name, *(("--rules", args.rules) if args.rules else ())])


def _pictured(machine: DrawnMachine, explored: Explored[Any], story: Story[Any] | None, shape: str) -> str:
    if story is None:
        raise Refused("no schedule shows what the question looks for; choose an outcome with --witness")
    return as_mermaid(machine, story) if shape == "mermaid" else as_page(machine, explored, story)


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text)
    else:
        output.write_text(text + "\n", "utf-8")


def _check(tests: Sequence[Kept]) -> int:
    """A line for each shipped test: its answer as expected or not, and whether everything seen is allowed."""
    worst = 0
    for kept in tests:
        found = answer(kept.test, rules_for(kept.test), tells=False)
        faults = [] if expectation(kept.test) == kept.expected else ["not as expected"]
        faults += strays(kept)
        worst = max(worst, _EXIT[found.verdict], bool(faults))
        print(f"{found.verdict.value:<10} {kept.test.name:<45} {'; '.join(faults) or found.test.sentence}")
    print(f"{len(tests)} tests")
    return worst


def _against_go(tests: Sequence[Kept], args: argparse.Namespace) -> int:
    toolchain = Toolchain.at(args.go)
    fitting = [kept for kept in tests if applies(kept.test, toolchain.rules)]
    for test in (kept.test for kept in tests if kept not in fitting and not args.all):
        raise Refused(f"{test.name} is not for {toolchain.rules}, but for {_versions(test)}")
    compared = compare([kept.test for kept in fitting], toolchain, args.runs)
    for kept, found in zip(fitting, compared, strict=True):
        if not args.all or found.disagreements:
            print("\n".join(as_lines(found)))
        if args.record:
            _record(kept, found)
    disagree = sum(bool(found.disagreements) for found in compared)
    print(f"go {toolchain.version}: {len(compared)} tests, {len(compared) * args.runs} runs, {disagree} disagree")
    return int(disagree > 0)


def _record(kept: Kept, found: Comparison) -> None:
    """In place of an older record of the same version; those of hand-written programs stay."""
    others = [record for record in kept.seen if record.program or record.go != found.record.go]
    kept.path.with_suffix(".seen").write_text(records_text([*others, found.record]), "utf-8")


def _fuzz(args: argparse.Namespace) -> int:
    def progress(report: Report) -> None:
        print(f"{report.programs} programs, {len(report.disagreements)} disagreements", file=sys.stderr, flush=True)

    report = campaign(Toolchain.at(args.go or "go"), args.fuzz, args.seed, args.runs, progress)
    print("\n".join(report.lines()))
    return int(bool(report.disagreements))
