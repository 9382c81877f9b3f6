"""``tenure litmus``: what can be seen of a small Go program with finalizers, under every schedule."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from tenure.explore import Schedule, UnreadableSchedule, Verdict, replay
from tenure.golang.answer import answer, as_data, as_text
from tenure.golang.machine import Machine
from tenure.golang.parser import parse
from tenure.golang.rules import DEFAULT, RULES
from tenure.golang.syntax import Litmus
from tenure.golang.tokens import LitmusError

__all__ = ["add_arguments", "run"]

_EXIT: Final = {Verdict.HOLDS: 0, Verdict.BROKEN: 1, Verdict.UNFINISHED: 3}
_UNREADABLE: Final = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The tests, the rules, and what to show of the answer."""
    parser.add_argument("tests", nargs="*", metavar="TEST", help="a .litmus file")
    parser.add_argument("--rules", default=DEFAULT, choices=RULES, help=f"whose rules (default: {DEFAULT})")
    parser.add_argument("--json", action="store_true", help="the answers as JSON, one object a line")
    parser.add_argument("--replay", metavar="SCHEDULE", help="run this one schedule and tell it step by step")


def run(args: argparse.Namespace) -> int:
    """Answer each test; the exit status is the worst answer's."""
    try:
        tests = [parse(Path(name).read_text("utf-8"), name) for name in args.tests]
        if args.replay is not None:
            return _replay(tests, args)
        answers = [answer(test, args.rules) for test in tests]
    except (LitmusError, UnreadableSchedule, OSError) as error:
        print(f"tenure litmus: {error}", file=sys.stderr)
        return _UNREADABLE
    for found in answers:
        print(json.dumps(as_data(found)) if args.json else as_text(found), end="\n" if args.json else "\n\n")
    return max((_EXIT[found.verdict] for found in answers), default=0)


def _replay(tests: list[Litmus], args: argparse.Namespace) -> int:
    for test in tests:
        machine = Machine(test, RULES[args.rules])
        story = replay(machine, Schedule.parse(args.replay))
        for at, moment in enumerate(story.moments, 1):
            print(f"{at:>4}  {moment.move.thread:<12} {moment.label}")
        print(f"      {story.outcome or 'it can go on from here'}")
    return 0
