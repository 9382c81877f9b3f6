"""``tenure explore``: visit every schedule of a model and say holds, broken or unfinished."""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tenure.cli.screen import SearchLine, has_colour
from tenure.explore import Answer, Bounds, Model, Schedule, Story, UnreadableSchedule, Verdict, explore, replay, sample
from tenure.explore.report import TooManyNodes, as_data, as_mermaid, as_page, as_text, story_as_data, story_as_text
from tenure.explore.shelf import UnknownModel, load
from tenure.explore.verdict import Effort
from tenure.explore.walks import Pct, Uniform

__all__ = ["UNFORESEEN", "add_arguments", "mistakes", "run"]

_EXIT: Final = {Verdict.HOLDS: 0, Verdict.BROKEN: 1, Verdict.UNFINISHED: 3}
UNFORESEEN: Final = ""  # the traceback leads into the model, or into tenure
_FORMATS: Final = ("text", "json", "html", "mermaid")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The model, how far to go, and how to show the answer."""
    parser.add_argument("model", metavar="MODEL", help="lifecycle, boxed, file.py:Name or package.module:Name")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="what the model is made with")
    _add_bounds(parser.add_argument_group("how far to go (a bound that is reached leaves it unfinished)"))
    _add_method(parser.add_argument_group("how to go there"))
    show = parser.add_argument_group("what to show")
    show.add_argument("--replay", metavar="SCHEDULE", help="run this one schedule, and tell it step by step")
    show.add_argument("--format", choices=_FORMATS, default="text")
    show.add_argument("-o", "--output", type=Path, metavar="FILE", help="write there (default: standard output)")
    show.add_argument("--color", choices=("auto", "always", "never"), default="auto")
    show.add_argument("--progress", action="store_true", help="tell how far it is, also where that is no terminal")
    parser.epilog = "exit status: 0 holds, 1 broken, 2 unreadable, 3 unfinished"


def _add_bounds(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--states", type=_counted, default=10_000_000, metavar="N", help="default: 10,000,000")
    group.add_argument("--seconds", type=_measured, metavar="S")
    group.add_argument("--megabytes", type=_measured, default=4096, metavar="MB", help="of this process; default: 4096")
    group.add_argument("--depth", type=_counted, metavar="N", help="steps from the start")
    group.add_argument("--preemptions", type=_counted, metavar="N", help="of threads that could have gone on")


def _counted(text: str) -> int:
    """A number of things: nothing is a bound too, less than that is none."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)


def _measured(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not number >= 0:
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, got {text!r}")
    return number


def _add_method(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--no-reduction", action="store_true", help="also visit what differs only in unrelated steps")
    group.add_argument("--no-symmetry", action="store_true", help="also visit what differs only in names")
    group.add_argument("--no-packing", action="store_true", help="take every step anew, also one that was taken before")
    group.add_argument("--all-faults", action="store_true", help="go on after the first broken state")
    sampled = group.add_mutually_exclusive_group()
    sampled.add_argument("--random", type=_counted, metavar="N", help="do not visit all; follow N random schedules")
    sampled.add_argument("--pct", type=_counted, metavar="N", help="follow N schedules of random priorities (PCT)")
    group.add_argument(
        "--pct-depth", type=_counted, default=3, metavar="D", help="orderings a bug may need; default: 3"
    )
    group.add_argument("--seed", type=int, default=0, metavar="S", help="of --random and --pct; default: 0")


def mistakes() -> tuple[type[Exception], ...]:
    """What an operator can put right: no such model or schedule, a graph too large to draw, a value a model refuses."""
    return UnknownModel, UnreadableSchedule, TooManyNodes, ValueError


def run(args: argparse.Namespace) -> int:
    """Explore, show, and tell by the exit status."""
    model = load(args.model, dict(_setting(text) for text in args.set))
    if args.replay is not None:
        story = replay(model, Schedule.parse(args.replay))
        _write(_shown_story(args, model, story), args.output)
        return _EXIT[Verdict.BROKEN if story.fault is not None else Verdict.HOLDS]
    answer = _answered(args, model)
    _write(_shown(args, model, answer), args.output)
    return _EXIT[answer.verdict]


def _setting(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UnknownModel(f"--set {text}: expected KEY=VALUE, as in --set borrowers=3")
    words: dict[str, object] = {"true": True, "false": False}
    return key, words.get(value, int(value) if value.lstrip("-").isdigit() else value)


def _answered(args: argparse.Namespace, model: Model[Any]) -> Answer[Any]:
    bounds = Bounds(args.states, args.seconds, args.megabytes, args.depth)
    line = SearchLine(sys.stderr, args.progress)
    try:
        if args.random is None and args.pct is None:
            return explore(
                model,
                bounds,
                reduce=not args.no_reduction,
                symmetry=not args.no_symmetry,
                pack=not args.no_packing,
                preemptions=args.preemptions,
                stop_at_fault=not args.all_faults,
                progress=line,
            )
        chance = random.Random(args.seed)
        scheduler = Uniform(chance) if args.pct is None else Pct(chance, args.pct_depth)
        return sample(model, scheduler, chance, args.pct or args.random, bounds, progress=line)
    finally:
        line.wipe()


def _shown(args: argparse.Namespace, model: Model[Any], answer: Answer[Any]) -> str:
    colour = args.output is None and has_colour(sys.stdout, args.color)
    shapes: dict[str, Callable[[], str]] = {
        "text": lambda: as_text(answer, model.threads, _again(args), colour=colour),
        "json": lambda: json.dumps(as_data(answer), indent=2),
        "html": lambda: as_page(model, answer),
        "mermaid": lambda: as_mermaid(model, answer.story),
    }
    return shapes[args.format]()


def _shown_story(args: argparse.Namespace, model: Model[Any], story: Story[Any]) -> str:
    colour = args.output is None and has_colour(sys.stdout, args.color)
    shapes: dict[str, Callable[[], str]] = {
        "text": lambda: story_as_text(story, model.threads, _again(args), colour=colour),
        "json": lambda: json.dumps(story_as_data(story), indent=2),
        "html": lambda: as_page(model, _answer_of(model, story), story),
        "mermaid": lambda: as_mermaid(model, story),
    }
    return shapes[args.format]()


def _answer_of(model: Model[Any], story: Story[Any]) -> Answer[Any]:
    """What one schedule alone says of its model: broken, or nothing yet."""
    verdict = Verdict.BROKEN if story.fault is not None else Verdict.UNFINISHED
    why = None if story.fault is not None else "one schedule was replayed"
    effort = Effort("one schedule", len(set(story.states)), story.length, story.length, runs=1)
    shown = story if story.fault is not None else None
    return Answer(model.name, verdict, story.fault, shown, False, why, {}, effort, {})


def _again(args: argparse.Namespace) -> str:
    """The command that asks for this model again."""
    return " ".join(["tenure explore", args.model, *(f"--set {text}" for text in args.set)])


def _write(text: str, output: Path | None) -> None:
    if output is None:
        print(text)
    else:
        output.write_text(text + "\n", "utf-8")
