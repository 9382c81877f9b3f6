"""The report for GitHub Actions is made of workflow commands that no message can break out of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from tenure.check.finding import Finding
from tenure.check.report import FORMATS, Answer

Answering = Callable[..., Answer]


def test_a_finding_is_one_command_with_its_story_in_it(answering: Answering, leak: Finding) -> None:
    assert FORMATS["github"](answering(leak)) == (
        "::error file=ingest.py,line=3,col=9,title=never-closed (TEN101)::the file opened here is never closed"
        "%0Aline 3: opened here%0Aline 4: this call may raise%0Aline 5: leaves without close\n"
    )


def test_what_the_runner_would_read_as_syntax_is_escaped(answering: Answering, leak: Finding) -> None:
    odd = dataclasses.replace(leak, path="a,b:c.py", message="100 %\n::error::forged", story=(), certainty="likely")
    assert FORMATS["github"](answering(odd)) == (
        "::warning file=a%2Cb%3Ac.py,line=3,col=9,title=never-closed (TEN101)::100 %25%0A::error::forged\n"
    )
